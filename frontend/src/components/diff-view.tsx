// A unified diff, light enough to stand in the conversation many times. Signs as text: never by colour alone.
import { Fragment, memo, useMemo, useState } from "react";
import { cn } from "@/lib/cn";
import { type PatchLine, parsePatch } from "@/lib/patch";
import { type WordMark, wordMarks } from "@/lib/word-marks";
import { Button } from "./button";
import {
  Below,
  type DiffNotes,
  goOnArrow,
  hunkOf,
  isOfFile,
  LineNumber,
  LineText,
  LOOKS,
  lineAt,
  placeOf,
  SIGNS,
  StopContext,
  WriteButton,
} from "./diff-line";
import { SplitLines } from "./split-lines";

const FIRST_LINES = 200;
interface DiffViewProps {
  patch: string;
  /** The file's name, for the table's caption. */
  path: string;
  className?: string;
  notes?: DiffNotes;
  /** The old file beside the new one. */
  isSplit?: boolean;
}

export const DiffView = memo(function DiffView(props: DiffViewProps) {
  const { patch, path, className, notes, isSplit = false } = props;
  const lines = useMemo(() => parsePatch(patch), [patch]);
  const marks = useMemo(() => wordMarks(lines), [lines]);
  const [stop, setStop] = useState<number | null>(null);
  const stops = { index: stop ?? lines.findIndex(isOfFile), onStop: setStop };
  const [isWhole, setIsWhole] = useState(false);
  // A new file has no old numbers, one that was deleted no new ones: an empty column only takes room.
  const hasOld = lines.some((line) => line.oldLine !== null);
  const hasNew = lines.some((line) => line.newLine !== null);
  const isNotedBelow = notes && lines.slice(FIRST_LINES).some((_, index) => notes.below(FIRST_LINES + index));
  const shown = isWhole || isNotedBelow ? lines : lines.slice(0, FIRST_LINES);
  if (lines.length === 0) return <p className="px-3 py-2 text-sm text-muted">No lines changed.</p>;
  return (
    <figure
      tabIndex={0}
      aria-label={`Changes in ${path}`}
      // Positioned: hidden words inside must scroll with it and not lengthen what is around it.
      className={cn("relative overflow-x-auto", notes && "@container pointer-coarse:py-3", className)}
      data-testid="diff"
      onKeyDown={notes && goOnArrow}
      onClick={notes && ((event) => setStop((before) => lineAt(event) ?? before))}
    >
      <StopContext value={stops}>
        {isSplit ? (
          <SplitLines lines={shown} marks={marks} notes={notes} />
        ) : (
          <UnifiedLines lines={shown} marks={marks} hasOld={hasOld} hasNew={hasNew} notes={notes} />
        )}
      </StopContext>
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

interface UnifiedLinesProps {
  lines: PatchLine[];
  marks: ReadonlyMap<number, WordMark>;
  hasOld: boolean;
  hasNew: boolean;
  notes: DiffNotes | undefined;
}

function UnifiedLines({ lines, marks, hasOld, hasNew, notes }: UnifiedLinesProps) {
  return (
    <div className="min-w-max font-mono text-xs leading-5">
      {lines.map((line, index) => (
        <Fragment key={index}>
          <DiffLine
            line={line}
            index={index}
            mark={marks.get(index)}
            hasOld={hasOld}
            hasNew={hasNew}
            onWrite={notes && isOfFile(line) ? () => notes.onWrite(line, index) : undefined}
          />
          {notes && <Below>{notes.below(index)}</Below>}
        </Fragment>
      ))}
    </div>
  );
}

interface DiffLineProps {
  line: PatchLine;
  index: number;
  mark: WordMark | undefined;
  hasOld: boolean;
  hasNew: boolean;
  onWrite: (() => void) | undefined;
}

function DiffLine({ line, index, mark, hasOld, hasNew, onWrite }: DiffLineProps) {
  return (
    <div className={cn("group/line flex", LOOKS[line.kind])} {...(onWrite ? placeOf(index) : hunkOf(line))}>
      {onWrite && <WriteButton line={line} index={index} onWrite={onWrite} className="sticky left-0" />}
      {hasOld && <LineNumber value={line.oldLine} />}
      {hasNew && <LineNumber value={line.newLine} />}
      <span className="w-4 shrink-0 select-none text-center">
        {SIGNS[line.kind]}
        {line.kind === "add" && <span className="sr-only">added: </span>}
        {line.kind === "delete" && <span className="sr-only">deleted: </span>}
      </span>
      <span className="whitespace-pre pr-3">
        <LineText line={line} mark={mark} />
      </span>
    </div>
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
