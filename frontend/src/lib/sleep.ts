// When a session that is idle falls asleep, and whether somebody keeps it awake.
import type { Session } from "@/lib/api/types";
import { serverNow } from "@/lib/server-clock";

const MINUTE_MS = 60_000;

type Sleep = Pick<Session, "sleeps_at" | "kept_until">;

export function isKept(session: Sleep): boolean {
  return session.kept_until !== null && Date.parse(session.kept_until) > serverNow();
}

/** "sleeps in 4 min"; null while that is far off. */
export function sleepWords(session: Sleep): string | null {
  if (session.sleeps_at === null) return null;
  const left = Date.parse(session.sleeps_at) - serverNow();
  return left < MINUTE_MS
    ? "falls asleep in less than a minute"
    : `sleeps in ${Math.ceil(left / MINUTE_MS)} min`;
}

/** "kept awake until 15:04"; null when nobody keeps it. */
export function keptWords(session: Sleep): string | null {
  if (!isKept(session) || session.kept_until === null) return null;
  const time = new Date(session.kept_until).toLocaleTimeString(undefined, {
    hour: "2-digit",
    minute: "2-digit",
  });
  return `kept awake until ${time}`;
}
