// Keyboard shortcuts: what they are called, when they may fire, and one listener for all of them.
import { useEffect, useRef } from "react";
import { usePreferences } from "./preferences";

export interface Shortcut {
  id: string;
  label: string;
  /** As shown, one key per entry; `Mod` is Cmd on a Mac and Ctrl elsewhere. */
  keys: string[];
  group: "Everywhere" | "Session" | "Terminal" | "Changes" | "Permission card" | "Composer";
}

export const SHORTCUTS = [
  { id: "palette", label: "Command palette", keys: ["Mod", "K"], group: "Everywhere" },
  { id: "new-session", label: "New session", keys: ["Mod", "Shift", "O"], group: "Everywhere" },
  { id: "sidebar", label: "Show or hide the sidebar", keys: ["Mod", "B"], group: "Everywhere" },
  { id: "previous-session", label: "Previous session", keys: ["Alt", "↑"], group: "Everywhere" },
  { id: "next-session", label: "Next session", keys: ["Alt", "↓"], group: "Everywhere" },
  { id: "help", label: "List of shortcuts", keys: ["?"], group: "Everywhere" },
  { id: "interrupt", label: "Interrupt the run", keys: ["Esc"], group: "Session" },
  { id: "panel", label: "Show or hide the right panel", keys: ["Mod", "Shift", "B"], group: "Session" },
  { id: "terminal", label: "Show or hide the terminal", keys: ["Ctrl", "`"], group: "Session" },
  { id: "leave-terminal", label: "Leave the terminal", keys: ["Ctrl", "Shift", "`"], group: "Terminal" },
  { id: "find-in-terminal", label: "Find", keys: ["Mod", "Shift", "F"], group: "Terminal" },
  { id: "previous-command", label: "Command before", keys: ["Mod", "Shift", "↑"], group: "Terminal" },
  { id: "next-command", label: "Command after", keys: ["Mod", "Shift", "↓"], group: "Terminal" },
  { id: "copy-in-terminal", label: "Copy the selection", keys: ["Mod", "Shift", "C"], group: "Terminal" },
  { id: "next-file", label: "File after, before", keys: ["J", "K"], group: "Changes" },
  { id: "next-hunk", label: "Change after, before", keys: ["N", "P"], group: "Changes" },
  { id: "viewed", label: "Viewed or not", keys: ["V"], group: "Changes" },
  { id: "comment", label: "Comment on the line", keys: ["C"], group: "Changes" },
  { id: "unified", label: "One column, side by side", keys: ["U", "S"], group: "Changes" },
  { id: "allow", label: "Allow once", keys: ["Y"], group: "Permission card" },
  { id: "reject", label: "Reject", keys: ["N"], group: "Permission card" },
  { id: "send", label: "Send", keys: ["Enter"], group: "Composer" },
  { id: "newline", label: "New line", keys: ["Shift", "Enter"], group: "Composer" },
  { id: "history", label: "Earlier prompts, when empty", keys: ["↑"], group: "Composer" },
  { id: "mode", label: "Next mode (switched on in the settings)", keys: ["Shift", "Tab"], group: "Composer" },
] as const satisfies readonly Shortcut[];

export type ShortcutId = (typeof SHORTCUTS)[number]["id"];

export const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform);

/** The keys of a shortcut as this machine calls them. */
export function keysOf(id: ShortcutId): string[] {
  const shortcut = SHORTCUTS.find((candidate) => candidate.id === id);
  return (shortcut?.keys ?? []).map((key) => (key === "Mod" ? (IS_MAC ? "⌘" : "Ctrl") : key));
}

export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target instanceof HTMLTextAreaElement || isTextField(target))
  );
}

function isTextField(target: HTMLElement): boolean {
  return (
    (target instanceof HTMLInputElement &&
      !["checkbox", "radio", "button", "submit"].includes(target.type)) ||
    target instanceof HTMLSelectElement
  );
}

/** The global shortcut that this key press means, if any; chords work while typing, single keys do not. */
export function shortcutOf(event: KeyboardEvent, singleKeys: boolean): ShortcutId | null {
  if (event.code === "Backquote" && event.ctrlKey && !event.shiftKey && !event.altKey && !event.metaKey) {
    return "terminal";
  }
  // Every other key belongs to the program in the terminal.
  if (event.target instanceof Element && event.target.closest(".xterm")) return null;
  const mod = IS_MAC ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
  const key = event.key.toLowerCase();
  if (mod && !event.altKey) {
    if (key === "k" && !event.shiftKey) return "palette";
    if (key === "o" && event.shiftKey) return "new-session";
    if (key === "b") return event.shiftKey ? "panel" : "sidebar";
    return null;
  }
  if (event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    if (event.key === "ArrowUp") return "previous-session";
    if (event.key === "ArrowDown") return "next-session";
  }
  if (event.key === "?" && singleKeys && !isTyping(event.target)) return "help";
  return null;
}

/** Calls the handler of a global shortcut; handlers may change at every render. */
export function useShortcuts(handlers: Partial<Record<ShortcutId, () => void>>): void {
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing || event.repeat) return;
      const id = shortcutOf(event, usePreferences.getState().singleKeys);
      const handler = id && latest.current[id];
      if (!handler) return;
      event.preventDefault();
      handler();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

/** The key is an input method's, in the middle of a word. */
export function isComposing(event: { nativeEvent: { isComposing: boolean }; keyCode: number }): boolean {
  return isComposingNow({ isComposing: event.nativeEvent.isComposing, keyCode: event.keyCode });
}

/** Of the browser's own event. */
export function isComposingNow(event: { isComposing: boolean; keyCode: number }): boolean {
  // keyCode 229: some input methods end a composition with an Enter that is not marked as theirs.
  return event.isComposing || event.keyCode === 229;
}
