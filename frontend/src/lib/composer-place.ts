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
