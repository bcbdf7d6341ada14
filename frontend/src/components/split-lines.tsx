// The lines of a diff side by side: the old file on the left, the new one on the right. Long lines are wrapped.
import { Fragment, useMemo } from "react";
import { cn } from "@/lib/cn";
import { type PatchLine, type PlacedLine, sideBySide } from "@/lib/patch";
import { visible } from "@/lib/visible";
import type { WordMark } from "@/lib/word-marks";
import {
  Below,
  type DiffNotes,
  hunkOf,
  LineNumber,
  LineText,
  LOOKS,
  placeOf,
  SIGNS,
  WriteButton,
} from "./diff-line";

interface SplitLinesProps {
  lines: PatchLine[];
  marks: ReadonlyMap<number, WordMark>;
  notes: DiffNotes | undefined;
}

export function SplitLines({ lines, marks, notes }: SplitLinesProps) {
  const rows = useMemo(() => sideBySide(lines), [lines]);
  return (
    <div className="grid grid-cols-2 font-mono text-xs leading-5" data-testid="split-lines">
      {rows.map((row, index) =>
        row.whole ? (
          <div
            key={index}
            className={cn("col-span-2 px-3", LOOKS[row.whole.line.kind])}
            {...hunkOf(row.whole.line)}
          >
            {visible(row.whole.line.text)}
          </div>
        ) : (
          <Fragment key={index}>
            <Side placed={row.old} number="oldLine" marks={marks} notes={notes} />
            <Side
              placed={row.new}
              number="newLine"
              marks={marks}
              notes={notes}
              className="border-border border-l"
            />
            {notes && <Notes notes={notes} of={[row.old, row.new]} />}
          </Fragment>
        ),
      )}
    </div>
  );
}

interface SideProps {
  placed: PlacedLine | null;
  number: "oldLine" | "newLine";
  marks: ReadonlyMap<number, WordMark>;
  notes: DiffNotes | undefined;
  className?: string;
}

function Side({ placed, number, marks, notes, className }: SideProps) {
  if (!placed) return <div className={cn("bg-sunken", className)} />;
  const { line, index } = placed;
  // A line of both files is commented on in the new one.
  const isWritable = notes && (number === "newLine" || line.kind === "delete");
  return (
    <div
      className={cn("group/line flex min-w-0", LOOKS[line.kind], className)}
      {...(notes && placeOf(index))}
    >
      {isWritable ? (
        <WriteButton
          line={line}
          index={index}
          onWrite={() => notes.onWrite(line, index)}
          className="relative"
        />
      ) : (
        notes && <span className="w-6 shrink-0 pointer-coarse:w-11" />
      )}
      <LineNumber value={line[number]} />
      <span className="w-4 shrink-0 select-none text-center">
        {SIGNS[line.kind]}
        {line.kind === "add" && <span className="sr-only">added: </span>}
        {line.kind === "delete" && <span className="sr-only">deleted: </span>}
      </span>
      <span className="min-w-0 whitespace-pre-wrap pr-2 [overflow-wrap:anywhere]">
        <LineText line={line} mark={marks.get(index)} />
      </span>
    </div>
  );
}

function Notes({ notes, of }: { notes: DiffNotes; of: (PlacedLine | null)[] }) {
  const places = [...new Set(of.flatMap((placed) => placed?.index ?? []))];
  return (
    <div className="col-span-2 empty:hidden">
      {places.map((index) => (
        <Below key={index}>{notes.below(index)}</Below>
      ))}
    </div>
  );
}
