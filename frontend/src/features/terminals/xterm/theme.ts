// The colours of the app in a terminal, followed while they change.
import type { ITheme, Terminal } from "@xterm/xterm";
import { usePreferences } from "@/lib/preferences";

const TOKENS = {
  background: "--bg",
  foreground: "--fg",
  cursor: "--accent",
  cursorAccent: "--bg",
  selectionBackground: "--terminal-selection",
  scrollbarSliderBackground: "--bg-active",
  scrollbarSliderHoverBackground: "--border-strong",
  scrollbarSliderActiveBackground: "--border-strong",
  black: "--ansi-black",
  red: "--ansi-red",
  green: "--ansi-green",
  yellow: "--ansi-yellow",
  blue: "--ansi-blue",
  magenta: "--ansi-magenta",
  cyan: "--ansi-cyan",
  white: "--ansi-white",
  brightBlack: "--ansi-bright-black",
  brightRed: "--ansi-bright-red",
  brightGreen: "--ansi-bright-green",
  brightYellow: "--ansi-bright-yellow",
  brightBlue: "--ansi-bright-blue",
  brightMagenta: "--ansi-bright-magenta",
  brightCyan: "--ansi-bright-cyan",
  brightWhite: "--ansi-bright-white",
} as const satisfies Partial<Record<keyof ITheme, string>>;

function readTheme(): ITheme {
  return Object.fromEntries(Object.entries(TOKENS).map(([name, token]) => [name, colourOf(token)])) as ITheme;
}

/** Returns how to stop. */
export function followTheme(xterm: Terminal): () => void {
  const apply = () => {
    xterm.options.theme = readTheme();
  };
  apply();
  const scheme = window.matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", apply);
  const unsubscribe = usePreferences.subscribe(apply);
  return () => {
    scheme.removeEventListener("change", apply);
    unsubscribe();
  };
}

/** The search addon draws with its own colours, which it wants as #rrggbb. */
export function searchColours() {
  return {
    matchBackground: hexOf("--attention-soft"),
    matchOverviewRuler: hexOf("--attention"),
    activeMatchBackground: hexOf("--attention-border"),
    activeMatchColorOverviewRuler: hexOf("--attention"),
  };
}

function hexOf(token: string): string {
  const channels = colourOf(token).match(/\d+/g)?.slice(0, 3) ?? ["0", "0", "0"];
  return `#${channels.map((channel) => Number(channel).toString(16).padStart(2, "0")).join("")}`;
}

/** The token's colour in the scheme that is in force: only a property that is a colour is resolved. */
function colourOf(token: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
