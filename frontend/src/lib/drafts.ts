// What somebody has begun to write, per session, until it is sent.
import { create } from "zustand";
import { recall, remember } from "./storage";

const name = (session: string) => `draft.${session}`;

/** Only those that were looked at since the page was opened; the rest is in storage. */
const useDrafts = create<Record<string, string>>(() => ({}));

export function useDraft(session: string): string {
  return useDrafts((drafts) => drafts[session] ?? recall(name(session), ""));
}

/** What comes from elsewhere goes behind what is written already. */
export function appendToDraft(session: string, text: string): void {
  const draft = useDrafts.getState()[session] ?? recall(name(session), "");
  saveDraft(session, draft.trim() ? `${draft.trimEnd()}\n\n${text}` : text);
}

export function saveDraft(session: string, text: string): void {
  useDrafts.setState({ [session]: text });
  remember(name(session), text || undefined);
}
