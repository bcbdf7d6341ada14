// Follows the end of a growing text as long as the reader is there, and leaves them alone when they are not.
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

const NEAR_PX = 48;

interface Stick {
  scroller: RefObject<HTMLDivElement | null>;
  content: RefObject<HTMLDivElement | null>;
  isAtBottom: boolean;
  toBottom: () => void;
}

/** `resetKey` names what is shown, and why: another one starts at its end. */
export function useStickToBottom(resetKey: string): Stick {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  const [isAtBottom, setIsAtBottom] = useState(true);

  const toBottom = useCallback(() => {
    stuck.current = true;
    setIsAtBottom(true);
    const element = scroller.current;
    if (element) element.scrollTop = element.scrollHeight;
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the key says when
  useLayoutEffect(toBottom, [resetKey, toBottom]);

  useEffect(() => {
    const element = scroller.current;
    const inner = content.current;
    if (!element || !inner) return;
    let lastTop = element.scrollTop;
    const stick = (next: boolean) => {
      stuck.current = next;
      setIsAtBottom(next);
    };
    const isNearEnd = () => element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
    const onScroll = () => {
      // Text may have grown since the jump that this event tells of: only going up is leaving.
      if (isNearEnd()) stick(true);
      else if (element.scrollTop < lastTop) stick(false);
      lastTop = element.scrollTop;
    };
    const follow = () => {
      if (stuck.current) element.scrollTop = element.scrollHeight;
    };
    const onClick = (event: MouseEvent) => {
      // What was opened stays where it was clicked, instead of being pushed out at the top.
      if (!(event.target instanceof Element && event.target.closest("[aria-expanded]"))) return;
      stuck.current = false;
      requestAnimationFrame(() => requestAnimationFrame(() => stick(isNearEnd())));
    };
    const sizes = new ResizeObserver(follow);
    sizes.observe(inner);
    sizes.observe(element);
    element.addEventListener("scroll", onScroll, { passive: true });
    inner.addEventListener("click", onClick);
    return () => {
      sizes.disconnect();
      element.removeEventListener("scroll", onScroll);
      inner.removeEventListener("click", onClick);
    };
  }, []);

  return { scroller, content, isAtBottom, toBottom };
}
