// Where the composer is now, if it is on the screen, for whatever else leads people to it.
let shown: HTMLElement | null = null;

/** Call it while the composer is there; what it returns says that it is gone. */
export function showComposer(element: HTMLElement): () => void {
  shown = element;
  return () => {
    // Another one may have come before this one went.
    if (shown === element) shown = null;
  };
}

export function isComposerShown(): boolean {
  return shown !== null;
}

export function focusComposer(): void {
  // After whatever is shown now has been drawn.
  requestAnimationFrame(() => shown?.focus());
}

// Where the focus goes when what had it is over: lost, the keyboard would begin at the top of the page. Without a
// composer it goes to what the page is about; on a screen that is touched it would bring up the keyboard.
export function giveFocusHome(): void {
  if (window.matchMedia("(hover: none) and (pointer: coarse)").matches) return;
  (shown ?? document.getElementById("main"))?.focus({ preventScroll: true });
}
