// Which permission cards of the conversation can be seen now: each card watches itself and tells whoever asks.
import { type RefObject, useEffect } from "react";
import { create } from "zustand";

/** How much of a card, or of the room that there is for it, must show. */
const ENOUGH = 0.4;
const STEPS = Array.from({ length: 11 }, (_, step) => step / 10);

/** The cards that an observer has found to be out of sight. */
const useOffScreen = create<Record<string, true>>(() => ({}));

function note(id: string, isSeen: boolean): void {
  const { [id]: known, ...others } = useOffScreen.getState();
  if (isSeen === !known) return;
  useOffScreen.setState(isSeen ? others : { ...others, [id]: true }, true);
}

/** Has the card tell of itself while it is mounted. */
export function useOnScreenReport(id: string, card: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    if (!card.current) return;
    const observer = new IntersectionObserver(
      (entries) => {
        const entry = entries.at(-1);
        if (entry) note(id, isEnough(entry));
      },
      { root: card.current.closest("[data-scroller]"), threshold: STEPS },
    );
    observer.observe(card.current);
    return () => {
      observer.disconnect();
      note(id, true);
    };
  }, [id, card]);
}

function isEnough({ intersectionRect, boundingClientRect, rootBounds }: IntersectionObserverEntry): boolean {
  const room = Math.min(boundingClientRect.height, rootBounds?.height ?? Number.POSITIVE_INFINITY);
  return intersectionRect.height > 0 && intersectionRect.height >= ENOUGH * room;
}

/** Whether the card can be seen; yes until an observer has said otherwise, so that nothing jumps in between. */
export function useIsOnScreen(id: string): boolean {
  return useOffScreen((off) => !off[id]);
}
