// The keys of a review: from file to file and from hunk to hunk, seen, commented on. They work from where the focus is.
import { useEffect, useRef } from "react";
import { setPreference, usePreferences } from "@/lib/preferences";
import { isTyping } from "@/lib/shortcuts";

const FILE = "[data-review-file]";
/** Its changes are not there yet; those that were seen are passed by. */
const CLOSED = "[data-review-file=''][aria-expanded=false]";

interface Steps {
  onViewed: (path: string) => void;
}

/** The keys work in the list, in the panel around it, and when nothing at all has the focus. */
export function useReviewKeys(list: HTMLElement | null, steps: Steps): void {
  const latest = useRef(steps);
  useEffect(() => {
    latest.current = steps;
  });
  useEffect(() => {
    if (!list) return;
    const around = list.closest("[data-testid=session-panel]") ?? list;
    const onKey = (event: KeyboardEvent) => {
      const { target } = event;
      if (target === document.body || (target instanceof Node && around.contains(target))) {
        onReviewKey(event, list, latest.current);
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [list]);
}

/** A key press is left alone when it means nothing. */
function onReviewKey(event: KeyboardEvent, list: HTMLElement, { onViewed }: Steps): void {
  if (!usePreferences.getState().singleKeys || isTyping(event.target)) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const actions: Record<string, () => void> = {
    j: () => focusBeside(list, FILE, 1),
    k: () => focusBeside(list, FILE, -1),
    n: () => toNextChange(list),
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

/** Opens the file in which it is. */
function toNextChange(list: HTMLElement): void {
  const here = document.activeElement;
  const isHere = here instanceof HTMLElement && here.matches(CLOSED);
  const next = isHere ? here : beside(list, `[data-hunk], ${CLOSED}`, 1);
  if (!next) return;
  goTo(next);
  if (next.matches(CLOSED)) next.click();
}

function goTo(element: HTMLElement | null): void {
  element?.focus();
  element?.scrollIntoView?.({ block: "nearest" });
}

function focusBeside(list: HTMLElement, what: string, step: 1 | -1): void {
  goTo(beside(list, what, step));
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
