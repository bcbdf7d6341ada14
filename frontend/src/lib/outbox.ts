// Prompts that this browser has sent and the platform has not yet shown back: nothing that was typed gets lost.
import { create } from "zustand";
import { messageOf } from "./api/errors";
import { sendPrompt } from "./api/sessions";
import { newId } from "./id";
import { nameFrom, namesIn, recall, remember } from "./storage";

export interface Outgoing {
  id: string;
  text: string;
  state: "sending" | "sent" | "failed";
  error: string;
  /** When it was written: their order. */
  at: number;
}

type Outboxes = Record<string, Outgoing[]>;

// Each prompt is remembered under a name of its own: tabs do not write over each other's.
const FOLDER = "outbox.";
const nameOf = (session: string, id: string) => `${FOLDER}${session}.${id}`;

export const useOutbox = create<Outboxes>(() => ({}));

/** What this page sends or has sent itself: as long as it is open, no other one knows better how that stands. */
const own = new Set<string>();

const CLOSED = "The page was closed while this was sent.";
const NONE: Outgoing[] = [];

export function outgoingOf(session: string): (boxes: Outboxes) => Outgoing[] {
  return (boxes) => boxes[session] ?? NONE;
}

function find(session: string, id: string): Outgoing | undefined {
  return outgoingOf(session)(useOutbox.getState()).find((prompt) => prompt.id === id);
}

function change(session: string, update: (prompts: Outgoing[]) => Outgoing[]): void {
  useOutbox.setState((boxes) => {
    const { [session]: before = NONE, ...others } = boxes;
    const after = update(before);
    return after.length ? { ...others, [session]: after } : others;
  }, true);
}

function show(session: string, prompt: Outgoing): void {
  change(session, (prompts) =>
    [...prompts.filter(({ id }) => id !== prompt.id), prompt].sort((one, other) => one.at - other.at),
  );
}

function keep(session: string, prompt: Outgoing): void {
  remember(nameOf(session, prompt.id), prompt);
  show(session, prompt);
}

/** What was under way when a page closed may or may not have arrived; sending it again is harmless. */
function takeOver(): void {
  for (const name of namesIn(FOLDER)) {
    const prompt = recall<Outgoing | null>(name, null);
    const [session = ""] = name.slice(FOLDER.length).split(".");
    const error = prompt?.error || CLOSED;
    if (prompt) keep(session, { ...prompt, state: "failed", error });
  }
}

/** Another tab has changed a prompt. One that has just been opened takes what is sent here for given up, and is told. */
function follow({ key, newValue }: StorageEvent): void {
  const name = key && nameFrom(key);
  if (!name?.startsWith(FOLDER)) return;
  const [session = "", id = ""] = name.slice(FOLDER.length).split(".");
  if (newValue === null) {
    change(session, (prompts) => prompts.filter((prompt) => prompt.id !== id));
    return;
  }
  const theirs = recall<Outgoing | null>(name, null);
  const ours = find(session, id);
  if (!theirs) return;
  if (ours && own.has(id) && ours.state !== "failed" && theirs.state === "failed") remember(name, ours);
  else {
    // Another tab sends it now: how it ends is for that one to say.
    if (theirs.state === "sending" && ours?.state !== "sending") own.delete(id);
    show(session, theirs);
  }
}

/** The other tabs are told that nobody goes on sending what this page had under way. */
function giveUp(): void {
  for (const [session, prompts] of Object.entries(useOutbox.getState()))
    for (const prompt of prompts)
      if (own.has(prompt.id) && prompt.state === "sending")
        remember(nameOf(session, prompt.id), { ...prompt, state: "failed", error: CLOSED });
}

takeOver();
window.addEventListener("storage", follow);
window.addEventListener("pagehide", giveUp);

/** Shows the prompt at once and sends it; a failure keeps it with what went wrong. */
export async function submitPrompt(session: string, text: string): Promise<void> {
  await deliver(session, { id: newId(), text, state: "sending", error: "", at: Date.now() });
}

/** Sends again under the same id, so that it runs once even if the first try arrived. */
export async function retryPrompt(session: string, id: string): Promise<void> {
  const prompt = find(session, id);
  if (prompt) await deliver(session, { ...prompt, state: "sending", error: "" });
}

/** Removes prompts: taken back by the user, or shown by the platform now. */
export function forgetPrompts(session: string, ids: ReadonlySet<string>): void {
  const known = outgoingOf(session)(useOutbox.getState()).filter((prompt) => ids.has(prompt.id));
  if (known.length === 0) return;
  for (const { id } of known) remember(nameOf(session, id), undefined);
  change(session, (prompts) => prompts.filter((prompt) => !ids.has(prompt.id)));
}

async function deliver(session: string, prompt: Outgoing): Promise<void> {
  const { id, text } = prompt;
  own.add(id);
  keep(session, prompt);
  const settle = (state: Outgoing["state"], error = "") => {
    if (find(session, id)) keep(session, { ...prompt, state, error });
  };
  try {
    await sendPrompt(session, { id, text });
    settle("sent");
  } catch (error) {
    settle("failed", messageOf(error));
  }
}
