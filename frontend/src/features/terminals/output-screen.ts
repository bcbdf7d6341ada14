// An xterm.js for output that only grows: what is new is written, what is asked in it is never answered.
import type { Terminal } from "@xterm/xterm";
import { makeXterm } from "./xterm/make";
import { guardReplies } from "./xterm/replies";
import { followRoom } from "./xterm/room";
import { followTheme } from "./xterm/theme";

export interface OutputScreen {
  show(output: string, omitted: number): void;
  dispose(): void;
}

/** What of `output` is new after `shown` characters of the whole; null if some of it is not there any more. */
export function newOutput(output: string, omitted: number, shown: number): string | null {
  const start = shown - omitted;
  return start < 0 || start > output.length ? null : output.slice(start);
}

export function drawOutput(place: HTMLElement): OutputScreen {
  // The output of a pipe has no carriage returns.
  const xterm: Terminal = makeXterm({ convertEol: true, disableStdin: true, cursorInactiveStyle: "none" });
  const replies = guardReplies(xterm, () => false);
  let shown = 0;
  xterm.open(place);
  const endings = [
    followTheme(xterm),
    followRoom(xterm, place, ({ rows, cols }) => xterm.resize(cols, rows)),
    replies.dispose,
  ];
  return {
    show(output, omitted) {
      let added = newOutput(output, omitted, shown);
      if (added === null) {
        xterm.reset();
        added = output;
      }
      xterm.write(added);
      shown = omitted + output.length;
    },
    dispose() {
      for (const end of endings) end();
      xterm.dispose();
    },
  };
}
