// An xterm.js of ours: the options that every terminal has, safe ones where there is a choice.
import "@xterm/xterm/css/xterm.css";
import "./xterm.css";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { type ITerminalInitOnlyOptions, type ITerminalOptions, Terminal } from "@xterm/xterm";
import { FONT } from "./font";

const SCROLLBACK_LINES = 10_000;

export function makeXterm(options: ITerminalOptions & ITerminalInitOnlyOptions = {}): Terminal {
  const xterm = new Terminal({
    // For the decorations in the gutter and for counting graphemes as one character.
    allowProposedApi: true,
    cursorBlink: false,
    fontFamily: FONT,
    fontSize: window.matchMedia("(max-width: 767.98px)").matches ? 12 : 13,
    lineHeight: 1.2,
    macOptionIsMeta: true,
    minimumContrastRatio: 4.5,
    scrollback: SCROLLBACK_LINES,
    // No program may move, resize or ask about windows.
    windowOptions: {},
    logLevel: "off",
    ...options,
  });
  xterm.loadAddon(new UnicodeGraphemesAddon());
  return xterm;
}
