// Prompts that this browser has sent and the platform has not yet shown back: nothing that was typed gets lost.
import { create } from "zustand";
import { messageOf } from "./api/errors";
import { sendPrompt } from "./api/sessions";
import { newId } from "./id";
import { recall, remember } from "./storage";

export interface Outgoing {
  id: string;
  text: string;
  state: "sending" | "sent" | "failed";
  error: string;
}

type Outboxes = Record<string, Outgoing[]>;

/** What was under way when the page closed may or may not have arrived; sending it again is harmless. */
function afterReload(boxes: Outboxes): Outboxes {
  const settled = Object.entries(boxes).map(([session, prompts]) => [
    session,
    prompts.map((prompt) => ({
      ...prompt,
      state: "failed" as const,
      error: prompt.error || "The page was closed while this was sent.",
    })),
  ]);
  return Object.fromEntries(settled);
}

export const useOutbox = create<Outboxes>(() => afterReload(recall<Outboxes>("outbox", {})));
useOutbox.subscribe((boxes) => remember("outbox", boxes));

const NONE: Outgoing[] = [];

export function outgoingOf(session: string): (boxes: Outboxes) => Outgoing[] {
  return (boxes) => boxes[session] ?? NONE;
}

function change(session: string, update: (prompts: Outgoing[]) => Outgoing[]): void {
  useOutbox.setState((boxes) => {
    const { [session]: before = NONE, ...others } = boxes;
    const after = update(before);
    return after.length ? { ...others, [session]: after } : others;
  }, true);
}

/** Shows the prompt at once and sends it; a failure keeps it with what went wrong. */
export async function submitPrompt(session: string, text: string): Promise<void> {
  const prompt: Outgoing = { id: newId(), text, state: "sending", error: "" };
  change(session, (prompts) => [...prompts, prompt]);
  await deliver(session, prompt);
}

/** Sends again under the same id, so that it runs once even if the first try arrived. */
export async function retryPrompt(session: string, id: string): Promise<void> {
  const prompt = outgoingOf(session)(useOutbox.getState()).find((candidate) => candidate.id === id);
  if (!prompt) return;
  change(session, (prompts) =>
    prompts.map((one) => (one.id === id ? { ...one, state: "sending", error: "" } : one)),
  );
  await deliver(session, prompt);
}

/** Removes prompts: taken back by the user, or shown by the platform now. */
export function forgetPrompts(session: string, ids: ReadonlySet<string>): void {
  if (!outgoingOf(session)(useOutbox.getState()).some((prompt) => ids.has(prompt.id))) return;
  change(session, (prompts) => prompts.filter((prompt) => !ids.has(prompt.id)));
}

async function deliver(session: string, { id, text }: Outgoing): Promise<void> {
  const settle = (state: Outgoing["state"], error = "") =>
    change(session, (prompts) => prompts.map((one) => (one.id === id ? { ...one, state, error } : one)));
  try {
    await sendPrompt(session, { id, text });
    settle("sent");
  } catch (error) {
    settle("failed", messageOf(error));
  }
}
