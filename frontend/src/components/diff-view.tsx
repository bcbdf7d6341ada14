// A unified diff, light enough to stand in the conversation many times. Signs as text: never by colour alone.
import { memo, useMemo, useState } from "react";
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

interface DiffViewProps {
  patch: string;
  /** The file's name, for the table's caption. */
  path: string;
  className?: string;
}

export const DiffView = memo(function DiffView({ patch, path, className }: DiffViewProps) {
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
      className={cn("relative overflow-x-auto", className)}
      data-testid="diff"
    >
      <div className="min-w-max font-mono text-xs leading-5">
        {shown.map((line, index) => (
          <DiffLine key={index} line={line} hasOld={hasOld} hasNew={hasNew} />
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

interface DiffLineProps {
  line: PatchLine;
  hasOld: boolean;
  hasNew: boolean;
}

function DiffLine({ line, hasOld, hasNew }: DiffLineProps) {
  return (
    <div className={cn("flex", LOOKS[line.kind])}>
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
