// How much an agent may do without asking, in words.
import type { Mode } from "./api/types";

export const MODES: { id: Mode; label: string; description: string }[] = [
  { id: "ask", label: "Ask", description: "Asks before it changes files or runs commands" },
  { id: "accept_edits", label: "Accept edits", description: "Changes files freely, asks before commands" },
  { id: "plan", label: "Plan", description: "Reads and plans, changes nothing" },
  { id: "auto", label: "Auto", description: "Does everything without asking; it is confined to its box" },
];

export function nextMode(mode: Mode): Mode {
  const index = MODES.findIndex((candidate) => candidate.id === mode);
  return MODES[(index + 1) % MODES.length]?.id ?? "ask";
}
