// Going back through earlier prompts with the arrow keys, as in a shell.
import { useRef } from "react";

export interface History {
  /** The text to show for a step back (1) or forth (-1); null where the key keeps its usual meaning. */
  step: (by: 1 | -1, text: string) => string | null;
  reset: () => void;
}

export function useHistory(prompts: string[]): History {
  /** How many prompts back; 0 is the text being written. */
  const back = useRef(0);
  return {
    step(by, text) {
      const isBrowsing = back.current > 0;
      if (!isBrowsing && (by === -1 || text !== "")) return null;
      const next = back.current + by;
      if (next > prompts.length) return text;
      back.current = next;
      return next === 0 ? "" : (prompts[prompts.length - next] ?? "");
    },
    reset() {
      back.current = 0;
    },
  };
}
