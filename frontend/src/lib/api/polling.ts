// How often lists are asked for again: there is no socket for them.

const SHOWN_MS = 5_000;
const HIDDEN_MS = 20_000;

/** Hidden pages still count what waits, in their title, but need not be quick about it. */
export function pollInterval(): number {
  return document.visibilityState === "hidden" ? HIDDEN_MS : SHOWN_MS;
}
