// What a session is called where it has no title yet.
import type { Session } from "@/lib/api/types";

export function titleOf(session: Pick<Session, "title">): string {
  return session.title || "Untitled session";
}

const BRIEF = 60;

/** The same within a sentence: cut where a long one would be all that there is to see. */
export function briefTitleOf(session: Pick<Session, "title">): string {
  const characters = [...titleOf(session)];
  return characters.length > BRIEF
    ? `${characters.slice(0, BRIEF).join("").trimEnd()}…`
    : characters.join("");
}
