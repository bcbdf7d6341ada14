// Esc stops the run, unless something else on the page is for it to close.
import { type RefObject, useEffect } from "react";
import { isComposingNow, isTyping } from "@/lib/shortcuts";

/** In every field but the composer Esc is about what is typed there. */
export function useEscape(stop: (() => void) | null, composer: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    if (!stop) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || isComposingNow(event)) return;
      if (isTyping(event.target) && event.target !== composer.current) return;
      if (document.querySelector("[role=dialog], [role=menu], [role=alertdialog]")) return;
      stop();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [stop, composer]);
}
