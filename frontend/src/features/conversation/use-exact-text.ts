// Keeps what is shown readable for programs: markdown hides characters, the element's own property does not.
import { type RefObject, useLayoutEffect, useRef } from "react";

declare global {
  interface HTMLElement {
    /** The exact text that this part of the transcript shows. */
    partText?: string;
  }
}

export function useExactText<T extends HTMLElement>(text: string): RefObject<T | null> {
  const ref = useRef<T>(null);
  useLayoutEffect(() => {
    if (ref.current) ref.current.partText = text;
  }, [text]);
  return ref;
}
