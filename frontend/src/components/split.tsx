// Two panes side by side; the border between them is dragged, or moved with the arrow keys.
import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef, useState } from "react";
import { cn } from "@/lib/cn";
import { recall, remember } from "@/lib/storage";

const MIN_SIDE = 280;
const MIN_MAIN = 380;
const STEP = 24;

interface SplitProps {
  /** Under this name the width is remembered. */
  name: string;
  defaultWidth: number;
  /** What the right pane is, for whoever moves the border by keyboard. */
  label: string;
  main: ReactNode;
  side: ReactNode;
}

export function Split({ name, defaultWidth, label, main, side }: SplitProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(() => recall<number>(`width.${name}`, defaultWidth));
  const [isDragging, setIsDragging] = useState(false);

  const resize = (wanted: number) => {
    const room = (frame.current?.clientWidth ?? window.innerWidth) - MIN_MAIN;
    setWidth(Math.round(Math.max(MIN_SIDE, Math.min(wanted, room))));
  };
  const keep = () => {
    setIsDragging(false);
    remember(`width.${name}`, width);
  };
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    setIsDragging(true);
  };
  const onPointerMove = (event: PointerEvent) => {
    if (isDragging) resize((frame.current?.getBoundingClientRect().right ?? 0) - event.clientX);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowLeft: STEP, ArrowRight: -STEP }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    resize(width + by);
  };

  return (
    <div ref={frame} className={cn("flex min-h-0 flex-1", isDragging && "cursor-col-resize select-none")}>
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">{main}</div>
      <aside
        aria-label={label}
        className="relative flex min-h-0 shrink-0 flex-col border-border border-l"
        style={{ width: `min(${width}px, calc(100% - ${MIN_MAIN}px))` }}
      >
        {/* biome-ignore lint/a11y/useSemanticElements: a rule cannot be dragged */}
        <div
          role="separator"
          tabIndex={0}
          aria-orientation="vertical"
          aria-label={`Width of ${label}`}
          aria-valuenow={width}
          aria-valuemin={MIN_SIDE}
          aria-valuemax={2000}
          onPointerDown={onPointerDown}
          onPointerMove={onPointerMove}
          onPointerUp={keep}
          onPointerCancel={keep}
          onKeyDown={onKeyDown}
          onKeyUp={keep}
          onDoubleClick={() => resize(defaultWidth)}
          className={cn(
            "absolute inset-y-0 -left-px z-(--z-sticky) w-px cursor-col-resize touch-none transition-ui before:absolute before:inset-y-0 before:-left-1 before:w-2.5 hover:bg-accent",
            isDragging && "bg-accent",
          )}
        />
        {side}
      </aside>
    </div>
  );
}
