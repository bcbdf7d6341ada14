// What a program asks of its terminal (DA, DSR, modes, colours...) is answered as if typed. So only one viewer answers,
// and only what is asked now: never what was asked in output that is replayed.
import type { IDisposable, Terminal } from "@xterm/xterm";

const COLOURS = [4, 10, 11, 12] as const;
const FOCUS_REPORTS = 1004;
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a report of the focus is
const FOCUS_REPORT = /^\x1b\[[IO]$/;

/** Takes every query away from xterm.js while it may not answer. Returns whether some data may be sent, and how to stop. */
export function guardReplies(
  xterm: Terminal,
  mayAnswer: () => boolean,
): { isAllowed: (data: string) => boolean; dispose: () => void } {
  let isEnablingFocus = false;
  const swallow = () => !mayAnswer();
  const { parser } = xterm;
  const guards: IDisposable[] = [
    // Device attributes, status and position, and whether a mode is set.
    ...["", ">", "="].map((prefix) =>
      parser.registerCsiHandler({ ...prefixed(prefix), final: "c" }, swallow),
    ),
    ...["", "?"].map((prefix) => parser.registerCsiHandler({ ...prefixed(prefix), final: "n" }, swallow)),
    ...["", "?"].map((prefix) =>
      parser.registerCsiHandler({ ...prefixed(prefix), intermediates: "$", final: "p" }, swallow),
    ),
    parser.registerCsiHandler({ prefix: ">", final: "q" }, swallow),
    // Nothing about windows, whoever asks and whenever: neither sizes nor titles.
    parser.registerCsiHandler({ final: "t" }, () => true),
    parser.registerDcsHandler({ intermediates: "$", final: "q" }, swallow),
    ...COLOURS.map((number) => parser.registerOscHandler(number, (data) => data.includes("?") && swallow())),
    // Asking for reports of the focus gets one at once; the mode itself must stay.
    parser.registerCsiHandler({ prefix: "?", final: "h" }, (params) => {
      if (params.includes(FOCUS_REPORTS) && swallow()) {
        isEnablingFocus = true;
        // Parsing does not pause: the report comes before this does.
        queueMicrotask(() => {
          isEnablingFocus = false;
        });
      }
      return false;
    }),
  ];
  return {
    isAllowed: (data) => !(isEnablingFocus && FOCUS_REPORT.test(data)),
    dispose: () => {
      for (const guard of guards) guard.dispose();
    },
  };
}

function prefixed(prefix: string): { prefix?: string } {
  return prefix ? { prefix } : {};
}
