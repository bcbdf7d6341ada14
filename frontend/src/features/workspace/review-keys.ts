// The keys of a review: from file to file and from hunk to hunk, seen, commented on. They work where the focus is.
import type { KeyboardEvent } from "react";
import { setPreference, usePreferences } from "@/lib/preferences";
import { isTyping } from "@/lib/shortcuts";

const FILE = "[data-review-file]";

interface Steps {
  onViewed: (path: string) => void;
}

/** Handles a key press anywhere in the list; it is left alone when it means nothing. */
export function onReviewKey(event: KeyboardEvent<HTMLElement>, { onViewed }: Steps): void {
  if (!usePreferences.getState().singleKeys || isTyping(event.target)) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const list = event.currentTarget;
  const actions: Record<string, () => void> = {
    j: () => focusBeside(list, FILE, 1),
    k: () => focusBeside(list, FILE, -1),
    n: () => focusBeside(list, "[data-hunk]", 1),
    p: () => focusBeside(list, "[data-hunk]", -1),
    v: () => {
      const path = currentFile()?.dataset.path;
      if (path !== undefined) onViewed(path);
    },
    c: () => beside(list, "[data-testid=comment-on-line]", 0)?.click(),
    u: () => setPreference({ isDiffSplit: false }),
    s: () => setPreference({ isDiffSplit: true }),
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function currentFile(): HTMLElement | null {
  return document.activeElement?.closest<HTMLElement>("[data-testid=changed-file]") ?? null;
}

function focusBeside(list: HTMLElement, what: string, step: 1 | -1): void {
  const found = beside(list, what, step);
  found?.focus();
  found?.scrollIntoView?.({ block: "nearest" });
}

/** The next such element after the one that has the focus, the one before, or (0) that one itself or the next. */
function beside(list: HTMLElement, what: string, step: 1 | 0 | -1): HTMLElement | null {
  const found = [...list.querySelectorAll<HTMLElement>(what)];
  const here = document.activeElement;
  if (!here || here === list || !list.contains(here)) return found[0] ?? null;
  if (step === 0 && found.includes(here as HTMLElement)) return here as HTMLElement;
  const lies = (element: HTMLElement, where: number) =>
    element !== here && (here.compareDocumentPosition(element) & where) !== 0;
  return step === -1
    ? (found.findLast((element) => lies(element, Node.DOCUMENT_POSITION_PRECEDING)) ?? null)
    : (found.find((element) => lies(element, Node.DOCUMENT_POSITION_FOLLOWING)) ?? null);
}
