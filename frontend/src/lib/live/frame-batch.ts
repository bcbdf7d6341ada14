// Publishes at most once per animation frame; hidden pages have no frames, so a timer stands in for them.

const HIDDEN_MS = 250;

export interface FrameBatch {
  /** Publishes soon; any number of requests before that are one. */
  request(): void;
}

export function frameBatch(publish: () => void): FrameBatch {
  let isRequested = false;
  const run = () => {
    if (!isRequested) return;
    isRequested = false;
    publish();
  };
  return {
    request() {
      if (isRequested) return;
      isRequested = true;
      if (document.visibilityState === "hidden") setTimeout(run, HIDDEN_MS);
      else {
        requestAnimationFrame(run);
        // A page that is hidden between the request and the frame gets no frame.
        setTimeout(run, HIDDEN_MS);
      }
    },
  };
}
