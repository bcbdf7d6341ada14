// What the lines of a diff are made of, whichever way they stand.
import { MessageSquarePlus } from "lucide-react";
import { createContext, type KeyboardEvent, type MouseEvent, type ReactNode, useContext } from "react";
import { cn } from "@/lib/cn";
import type { PatchLine } from "@/lib/patch";
import { visible } from "@/lib/visible";
import type { WordMark } from "@/lib/word-marks";

export const SIGNS: Record<PatchLine["kind"], string> = {
  add: "+",
  delete: "−",
  context: " ",
  hunk: "",
  note: "",
};

export const LOOKS: Record<PatchLine["kind"], string> = {
  add: "bg-diff-add text-diff-add-fg",
  delete: "bg-diff-delete text-diff-delete-fg",
  context: "text-fg",
  hunk: "bg-sunken text-faint",
  note: "text-faint italic",
};

/** The text of a line, with what is new or gone of it set off. */
export function LineText({ line, mark }: { line: PatchLine; mark: WordMark | undefined }) {
  if (!mark) return visible(line.text);
  const [from, to] = mark;
  return (
    <>
      {visible(line.text.slice(0, from))}
      <mark
        className={cn(
          "rounded-sm text-inherit",
          line.kind === "add" ? "bg-diff-add-word" : "bg-diff-delete-word",
        )}
      >
        {visible(line.text.slice(from, to))}
      </mark>
      {visible(line.text.slice(to))}
    </>
  );
}

/** What can be written at the lines, where somebody offers it. */
export interface DiffNotes {
  /** Somebody wants to write at this line. */
  onWrite: (line: PatchLine, index: number) => void;
  /** What stands below it. */
  below: (index: number) => ReactNode;
}

/** By which the head of a hunk is found, and has the focus when somebody goes there. */
export function hunkOf({ kind }: PatchLine) {
  return kind === "hunk" ? { "data-hunk": "", tabIndex: -1 } : {};
}

export function isOfFile({ kind }: PatchLine): boolean {
  return kind === "add" || kind === "delete" || kind === "context";
}

/** As wide as what can be seen, wherever the lines are scrolled to. */
export function Below({ children }: { children: ReactNode }) {
  if (!children) return null;
  return <div className="sticky left-0 max-w-[min(100cqw,40rem)]">{children}</div>;
}

/** Which line it is, as it is spoken of: a deleted one has the number of the old file. */
export function lineInWords({ kind, oldLine, newLine }: PatchLine): string {
  return kind === "delete" ? `deleted line ${oldLine}` : `line ${newLine ?? oldLine}`;
}

interface Stop {
  /** The line whose button Tab comes to, and fingers; the arrows lead to the others, and a touch of the line. */
  index: number;
  onStop: (index: number) => void;
}

export const StopContext = createContext<Stop>({ index: -1, onStop: () => {} });

const WRITE = "comment-on-line";

/** By which a line that can be written at is found. */
export function placeOf(index: number) {
  return { "data-line": index };
}

/** The line that was touched, if it was one. */
export function lineAt({ target }: MouseEvent<HTMLElement>): number | null {
  const line = target instanceof Element ? target.closest<HTMLElement>("[data-line]") : null;
  return line ? Number(line.dataset.line) : null;
}

/** Up and down from one button of a diff to the next. */
export function goOnArrow(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>(`[data-testid=${WRITE}]`)];
  const at = buttons.indexOf(event.target as HTMLElement);
  if (!step || at < 0) return;
  event.preventDefault();
  buttons[at + step]?.focus();
}

interface WriteButtonProps {
  line: PatchLine;
  index: number;
  onWrite: () => void;
  className?: string;
}

/** A line is too low for a finger: touching it gives its button the room of its neighbours. */
const LOW = "pointer-coarse:pointer-events-none pointer-coarse:opacity-40";
const HIGH =
  "pointer-coarse:z-10 pointer-coarse:-my-3 pointer-coarse:min-h-11 pointer-coarse:rounded-md pointer-coarse:border pointer-coarse:border-border pointer-coarse:bg-raised pointer-coarse:opacity-100";

export function WriteButton({ line, index, onWrite, className }: WriteButtonProps) {
  const stop = useContext(StopContext);
  const isStop = stop.index === index;
  return (
    <button
      type="button"
      tabIndex={isStop ? 0 : -1}
      onFocus={() => stop.onStop(index)}
      onClick={onWrite}
      aria-label={`Comment on ${lineInWords(line)}`}
      data-testid={WRITE}
      className={cn(
        "grid w-6 shrink-0 place-items-center text-accent opacity-0 focus-visible:opacity-100 group-hover/line:opacity-100 pointer-coarse:w-11",
        isStop ? HIGH : LOW,
        className,
      )}
    >
      <MessageSquarePlus aria-hidden className="size-3.5" />
    </button>
  );
}

export function LineNumber({ value }: { value: number | null }) {
  return (
    <span
      aria-hidden
      data-testid="line-number"
      className="w-9 shrink-0 select-none pr-1.5 text-right text-2xs text-faint leading-5"
    >
      {value}
    </span>
  );
}
