// What somebody has begun to write, per session, until it is sent.
import { recall, remember } from "./storage";

const name = (session: string) => `draft.${session}`;

export function readDraft(session: string): string {
  return recall(name(session), "");
}

export function saveDraft(session: string, text: string): void {
  remember(name(session), text || undefined);
}
