// Whether an element is wide enough for two files side by side.
import { useEffect, useState } from "react";

const ENOUGH_PX = 640;

/** `element` may not be there yet. */
export function useHasRoomForTwo(element: HTMLElement | null): boolean {
  const [hasRoom, setHasRoom] = useState(false);
  useEffect(() => {
    if (!element) return;
    const sizes = new ResizeObserver(() => setHasRoom(element.clientWidth >= ENOUGH_PX));
    sizes.observe(element);
    return () => sizes.disconnect();
  }, [element]);
  return hasRoom;
}
