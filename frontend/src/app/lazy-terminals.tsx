// Terminals are large, so they are loaded when somebody wants to see one; and with them the font, before it is measured.
import { lazy } from "react";

export const TerminalPanel = lazy(async () => {
  const [{ TerminalPanel }, { loadFont }] = await Promise.all([
    import("@/features/terminals/terminal-panel"),
    import("@/features/terminals/xterm/font"),
  ]);
  await loadFont();
  return { default: TerminalPanel };
});

export const OutputTerminal = lazy(async () => {
  const [{ OutputTerminal }, { loadFont }] = await Promise.all([
    import("@/features/terminals/output-terminal"),
    import("@/features/terminals/xterm/font"),
  ]);
  await loadFont();
  return { default: OutputTerminal };
});
