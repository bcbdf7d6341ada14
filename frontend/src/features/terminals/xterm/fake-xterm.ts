// For tests: xterm.js without a screen, as if it were one with a screen.
import { Terminal as Headless } from "@xterm/headless";
import type { Terminal } from "@xterm/xterm";

export function headlessXterm({ cols = 40, rows = 10 } = {}): Terminal {
  const headless = new Headless({ allowProposedApi: true, cols, rows, scrollback: 1000 });
  // Nothing is drawn, so there is nothing to decorate.
  return Object.assign(headless, { registerDecoration: () => undefined }) as unknown as Terminal;
}

/** Until everything is parsed. */
export function written(xterm: Terminal, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => xterm.write(data, resolve));
}
