// Which sessions have something new since this browser last showed them.
import { create } from "zustand";
import { recall, remember } from "./storage";

const MOST = 500;

/** The last number of each session's log that was on the screen. */
export const useSeen = create<Record<string, number>>(() => recall("seen", {}));

export function markSeen(session: string, seq: number): void {
  const seen = useSeen.getState();
  if ((seen[session] ?? -1) >= seq) return;
  const kept = Object.entries(seen).filter(([id]) => id !== session);
  const next = Object.fromEntries([...kept.slice(-MOST), [session, seq]]);
  useSeen.setState(next, true);
  remember("seen", next);
}

/** A session that this browser sees for the first time has nothing new: it was read elsewhere, or will be. */
export function noteSessions(sessions: { id: string; last_seq: number }[]): void {
  const seen = useSeen.getState();
  for (const { id, last_seq } of sessions) if (!(id in seen)) markSeen(id, last_seq);
}

export function isUnread(seen: Record<string, number>, session: { id: string; last_seq: number }): boolean {
  return session.last_seq > (seen[session.id] ?? session.last_seq);
}
