// What a session is called where it has no title yet.
import type { Session } from "@/lib/api/types";

export function titleOf(session: Pick<Session, "title">): string {
  return session.title || "Untitled session";
}
