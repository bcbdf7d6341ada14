// Questions to the screen.
import { useSyncExternalStore } from "react";

function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const list = window.matchMedia(query);
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    () => window.matchMedia(query).matches,
  );
}

/** One column with tabs at the bottom. The same width is `max-md` in class names. */
export function useIsPhone(): boolean {
  return useMedia("(max-width: 767.98px)");
}

/** Fingers and the keyboard of the screen, which has no Shift+Enter. */
export function useIsTouch(): boolean {
  return useMedia("(hover: none) and (pointer: coarse)");
}

/** Too narrow for a panel beside the conversation. The same width is `max-lg` in class names. */
export function useIsNarrow(): boolean {
  return useMedia("(max-width: 1023.98px)");
}
