// A tool's output: the last lines, all of it on request. Control sequences are taken out, the text stays text.
import { memo, useMemo, useState } from "react";
import { Button } from "./button";

const LAST_LINES = 10;
/** As much as one browser shows with ease. */
const MAX_SHOWN = 400_000;

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal output consists of them
const CONTROL_SEQUENCE = /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]/;
// Titles, links, device strings and the like: one that is not ended takes the rest of its line with it.
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal output consists of them
const STRING = /(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\x18\x1a\n]*(?:\x07|\x1b\\|\x9c)?/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal output consists of them
const OTHER = /\x1b[ -/]*[0-~]/;
/** As ECMA-48 has them, in 7 bits and in 8. */
const ESCAPES = new RegExp([CONTROL_SEQUENCE, STRING, OTHER].map((each) => each.source).join("|"), "g");
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal output consists of them
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/** Output as text: without escape sequences, and of a line that was rewritten only its last state. */
export function plainOutput(output: string): string {
  const text = output.replace(ESCAPES, "").replace(/\r+\n/g, "\n");
  const lines = text.includes("\r")
    ? text.split("\n").map((line) => line.slice(line.lastIndexOf("\r") + 1))
    : null;
  return (lines ? lines.join("\n") : text).replace(CONTROLS, "");
}

interface OutputViewProps {
  output: string;
  /** Characters that were left out before the kept ones. */
  omitted: number;
  /** The agent keeps the end of long output only: some came before this, nobody knows how much. */
  hasGap?: boolean;
}

export const OutputView = memo(function OutputView({ output, omitted, hasGap = false }: OutputViewProps) {
  const [isWhole, setIsWhole] = useState(false);
  const lines = useMemo(() => plainOutput(output.slice(-MAX_SHOWN)).replace(/\n$/, "").split("\n"), [output]);
  const hidden = isWhole ? 0 : Math.max(0, lines.length - LAST_LINES);
  const left = omitted + Math.max(0, output.length - MAX_SHOWN);
  const missing = [
    ...(hasGap ? ["the beginning was left out by the agent"] : []),
    ...(left > 0 ? [`${left.toLocaleString()} characters left out`] : []),
  ].join(", ");
  return (
    <div className="font-mono text-xs leading-5" data-testid="tool-output">
      {(hidden > 0 || isWhole) && (
        <div className="flex flex-wrap items-center gap-2 border-border border-b px-2 py-1 font-sans text-muted">
          {hidden > 0 ? `Last ${LAST_LINES} of ${lines.length} lines` : `${lines.length} lines`}
          {missing && <span>({missing})</span>}
          <Button look="quiet" size="small" onClick={() => setIsWhole(!isWhole)}>
            {isWhole ? "Show the last lines" : "Show all"}
          </Button>
        </div>
      )}
      {missing && hidden === 0 && !isWhole && (
        <p className="px-3 pt-1 font-sans text-faint first-letter:uppercase">{missing}</p>
      )}
      <pre
        tabIndex={0}
        className="max-h-[60vh] overflow-auto whitespace-pre-wrap px-3 py-2 [overflow-wrap:anywhere]"
      >
        {lines.slice(hidden).join("\n")}
      </pre>
    </div>
  );
});
