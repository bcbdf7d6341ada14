// The numbers of a file's lines: each is an address, and the line of this page's address is marked.
import { type KeyboardEvent, type MouseEvent, useEffect, useRef, useState } from "react";
import { useIsTouch } from "@/lib/media";

export interface LinePlace {
  /** The line that the address names. */
  line: number | null;
  addressOf: (line: number) => string;
  onLine: (line: number) => void;
}

const LINE_PX = 20;
/** A file with more has numbers only: so many links would take longer to draw than its text. */
const MOST_LINKS = 5000;

export function LineNumbers({ count, place }: { count: number; place: LinePlace }) {
  const isTouch = useIsTouch();
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const look = "sticky left-0 select-none bg-bg px-3 text-right text-faint";
  // No finger hits one line.
  if (isTouch || count > MOST_LINKS) {
    return (
      <pre aria-hidden className={look}>
        {numbers.join("\n")}
      </pre>
    );
  }
  const choose = (event: MouseEvent, line: number) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    place.onLine(line);
  };
  return (
    <nav aria-label="Lines" className={look}>
      {numbers.map((line) => (
        <a
          key={line}
          href={place.addressOf(line)}
          // One way for the keyboard into so many: to the line that is marked, or the first.
          tabIndex={line === (place.line ?? 1) ? 0 : -1}
          aria-label={`Line ${line}`}
          aria-current={line === place.line ? "location" : undefined}
          onClick={(event) => choose(event, line)}
          onKeyDown={goOnArrow}
          className="block hover:text-fg aria-[current]:font-semibold aria-[current]:text-accent"
        >
          {line}
        </a>
      ))}
    </nav>
  );
}

/** Up and down from one number to the next. */
function goOnArrow(event: KeyboardEvent<HTMLElement>): void {
  const { previousElementSibling, nextElementSibling } = event.currentTarget;
  const to = { ArrowUp: previousElementSibling, ArrowDown: nextElementSibling }[event.key];
  if (!(to instanceof HTMLElement)) return;
  event.preventDefault();
  to.focus();
}

/** A band behind the line; whoever comes by its address finds it in the middle. */
export function MarkedLine({ line }: { line: number | null }) {
  const ref = useRef<HTMLDivElement>(null);
  const [sought] = useState(line);
  const isSought = line !== null && line === sought;
  useEffect(() => {
    if (isSought) ref.current?.scrollIntoView?.({ block: "center" });
  }, [isSought]);
  if (line === null) return null;
  return (
    <div
      ref={ref}
      aria-hidden
      data-testid="marked-line"
      data-line={line}
      className="absolute inset-x-0 bg-accent-soft"
      style={{ top: (line - 1) * LINE_PX, height: LINE_PX }}
    />
  );
}
