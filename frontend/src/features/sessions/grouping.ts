// The order of the sidebar: who needs somebody first, then what runs, then by day.
import type { Session } from "@/lib/api/types";
import { isSameDay } from "@/lib/time";

export type GroupName = "Needs you" | "Running" | "Today" | "Earlier";

export interface SessionGroup {
  name: GroupName;
  sessions: Session[];
}

const ORDER: GroupName[] = ["Needs you", "Running", "Today", "Earlier"];

export function groupOf(session: Session, now: number): GroupName {
  if (session.status === "needs_you") return "Needs you";
  if (["running", "starting", "queued"].includes(session.status)) return "Running";
  return isSameDay(session.updated_at, now) ? "Today" : "Earlier";
}

/** Groups that have somebody in them; within a group the order stays as it came. */
export function groupSessions(sessions: Session[], now: number): SessionGroup[] {
  const groups = ORDER.map((name) => ({
    name,
    sessions: sessions.filter((session) => groupOf(session, now) === name),
  }));
  return groups.filter((group) => group.sessions.length > 0);
}
