// Keys that a terminal does not get: the way out, the app's own one, and what is done with the screen.
import { IS_MAC } from "@/lib/shortcuts";

export type TerminalKey = "app" | "leave" | "find" | "copy" | "previous-command" | "next-command";

type KeyPress = Pick<KeyboardEvent, "type" | "key" | "code" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">;

/** What the key means here; null if it is for the program. */
export function terminalKeyOf(event: KeyPress, hasSelection: boolean, isMac = IS_MAC): TerminalKey | null {
  if (event.type !== "keydown" || event.altKey) return null;
  if (event.code === "Backquote" && event.ctrlKey && !event.metaKey) return event.shiftKey ? "leave" : "app";
  const mod = isMac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
  if (!mod) return null;
  const key = event.key.toLowerCase();
  if (event.shiftKey) return WITH_SHIFT[key] ?? null;
  // With something selected Ctrl+C copies it, as everywhere; the selection is gone then, and the next one interrupts.
  return !isMac && hasSelection && (key === "c" || key === "insert") ? "copy" : null;
}

const WITH_SHIFT: Record<string, TerminalKey> = {
  f: "find",
  c: "copy",
  arrowup: "previous-command",
  arrowdown: "next-command",
};
