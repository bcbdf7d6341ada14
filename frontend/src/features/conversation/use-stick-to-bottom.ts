// Follows the end of a growing text as long as the reader is there, and leaves them alone when they are not.
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

const NEAR_PX = 48;

interface Stick {
  scroller: RefObject<HTMLDivElement | null>;
  content: RefObject<HTMLDivElement | null>;
  isAtBottom: boolean;
  toBottom: () => void;
}

/** `resetKey` names what is shown: another one starts at its end. */
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
    const onScroll = () => {
      const distance = element.scrollHeight - element.scrollTop - element.clientHeight;
      stuck.current = distance < NEAR_PX;
      setIsAtBottom(stuck.current);
    };
    const follow = () => {
      if (stuck.current) element.scrollTop = element.scrollHeight;
    };
    const sizes = new ResizeObserver(follow);
    sizes.observe(inner);
    sizes.observe(element);
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      sizes.disconnect();
      element.removeEventListener("scroll", onScroll);
    };
  }, []);

  return { scroller, content, isAtBottom, toBottom };
}
