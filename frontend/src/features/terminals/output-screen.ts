// An xterm.js for output that only grows: what is new is written, what is asked in it is never answered. It is as high
// as the output needs, up to a height.
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

const FEWEST_ROWS = 3;
const MOST_ROWS = 16;
/** Above and below the rows, as xterm.css says. */
const PADDING_PX = 8;

export function drawOutput(place: HTMLElement): OutputScreen {
  // The output of a pipe has no carriage returns.
  const xterm: Terminal = makeXterm({ convertEol: true, disableStdin: true, cursorInactiveStyle: "none" });
  const replies = guardReplies(xterm, () => false);
  let shown = 0;
  let height = 0;
  xterm.open(place);
  const grow = () => {
    const { baseY, cursorY } = xterm.buffer.active;
    const rows = Math.min(MOST_ROWS, Math.max(FEWEST_ROWS, baseY + cursorY + 1));
    const drawn = place.querySelector(".xterm-screen")?.clientHeight ?? 0;
    if (rows <= height || drawn === 0) return;
    height = rows;
    place.style.height = `${Math.ceil((drawn / xterm.rows) * rows) + PADDING_PX}px`;
  };
  grow();
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
      xterm.write(added, () => grow());
      shown = omitted + output.length;
    },
    dispose() {
      for (const end of endings) end();
      xterm.dispose();
    },
  };
}
