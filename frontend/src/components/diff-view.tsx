// A unified diff, light enough to stand in the conversation many times. Signs as text: never by colour alone.
import { MessageSquarePlus } from "lucide-react";
import { Fragment, memo, type ReactNode, useMemo, useState } from "react";
import { cn } from "@/lib/cn";
import { type PatchLine, parsePatch } from "@/lib/patch";
import { visible } from "@/lib/visible";
import { Button } from "./button";

const FIRST_LINES = 200;
const SIGNS: Record<PatchLine["kind"], string> = { add: "+", delete: "−", context: " ", hunk: "", note: "" };

const LOOKS: Record<PatchLine["kind"], string> = {
  add: "bg-diff-add text-diff-add-fg",
  delete: "bg-diff-delete text-diff-delete-fg",
  context: "text-fg",
  hunk: "bg-sunken text-faint",
  note: "text-faint italic",
};

/** What can be written at the lines, where somebody offers it. */
export interface DiffNotes {
  /** Somebody wants to write at this line. */
  onWrite: (line: PatchLine, index: number) => void;
  /** What stands below it. */
  below: (index: number) => ReactNode;
}

interface DiffViewProps {
  patch: string;
  /** The file's name, for the table's caption. */
  path: string;
  className?: string;
  notes?: DiffNotes;
}

export const DiffView = memo(function DiffView({ patch, path, className, notes }: DiffViewProps) {
  const lines = useMemo(() => parsePatch(patch), [patch]);
  const [isWhole, setIsWhole] = useState(false);
  // A new file has no old numbers, one that was deleted no new ones: an empty column only takes room.
  const hasOld = lines.some((line) => line.oldLine !== null);
  const hasNew = lines.some((line) => line.newLine !== null);
  const shown = isWhole ? lines : lines.slice(0, FIRST_LINES);
  if (lines.length === 0) return <p className="px-3 py-2 text-sm text-muted">No lines changed.</p>;
  return (
    <figure
      tabIndex={0}
      aria-label={`Changes in ${path}`}
      // Positioned: hidden words inside must scroll with it and not lengthen what is around it.
      className={cn("relative overflow-x-auto", notes && "@container", className)}
      data-testid="diff"
    >
      <div className="min-w-max font-mono text-xs leading-5">
        {shown.map((line, index) => (
          <Fragment key={index}>
            <DiffLine
              line={line}
              hasOld={hasOld}
              hasNew={hasNew}
              onWrite={notes && isOfFile(line) ? () => notes.onWrite(line, index) : undefined}
            />
            {notes && <Below>{notes.below(index)}</Below>}
          </Fragment>
        ))}
      </div>
      {shown.length < lines.length && (
        <div className="sticky left-0 p-1">
          <Button look="quiet" size="small" onClick={() => setIsWhole(true)}>
            Show all {lines.length} lines
          </Button>
        </div>
      )}
    </figure>
  );
});

function isOfFile({ kind }: PatchLine): boolean {
  return kind === "add" || kind === "delete" || kind === "context";
}

/** As wide as what can be seen, wherever the lines are scrolled to. */
function Below({ children }: { children: ReactNode }) {
  if (!children) return null;
  return <div className="sticky left-0 max-w-[min(100cqw,40rem)]">{children}</div>;
}

interface DiffLineProps {
  line: PatchLine;
  hasOld: boolean;
  hasNew: boolean;
  onWrite: (() => void) | undefined;
}

function DiffLine({ line, hasOld, hasNew, onWrite }: DiffLineProps) {
  return (
    <div className={cn("group/line flex", LOOKS[line.kind])}>
      {onWrite && (
        <button
          type="button"
          onClick={onWrite}
          aria-label={`Comment on line ${line.newLine ?? line.oldLine}`}
          data-testid="comment-on-line"
          className="sticky left-0 grid w-6 shrink-0 place-items-center text-accent opacity-0 focus-visible:opacity-100 group-hover/line:opacity-100 pointer-coarse:w-11 pointer-coarse:opacity-60"
        >
          <MessageSquarePlus aria-hidden className="size-3.5" />
        </button>
      )}
      {hasOld && <LineNumber value={line.oldLine} />}
      {hasNew && <LineNumber value={line.newLine} />}
      <span className="w-4 shrink-0 select-none text-center">
        {SIGNS[line.kind]}
        {line.kind === "add" && <span className="sr-only">added: </span>}
        {line.kind === "delete" && <span className="sr-only">deleted: </span>}
      </span>
      <span className="whitespace-pre pr-3">{visible(line.text)}</span>
    </div>
  );
}

function LineNumber({ value }: { value: number | null }) {
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

export function DiffCounts({ additions, deletions }: { additions: number; deletions: number }) {
  return (
    <span className="shrink-0 font-mono text-xs">
      <span className={additions ? "text-ok" : "text-faint"}>+{additions}</span>{" "}
      <span className={deletions ? "text-bad" : "text-faint"}>−{deletions}</span>
    </span>
  );
}
