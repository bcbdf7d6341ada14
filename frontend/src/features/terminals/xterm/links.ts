// Addresses in a terminal: http and https only, and nobody gets anywhere without having seen the whole of it.
import { WebLinksAddon } from "@xterm/addon-web-links";
import type { Terminal } from "@xterm/xterm";

const MOST = 2000;

/** The address, written out by the browser; null for one that may not be opened. */
export function safeAddress(text: string): string | null {
  if (text.length > MOST) return null;
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

/** Both kinds: what looks like an address, and what a program names as one (OSC 8) under any text that it likes. */
export function offerLinks(xterm: Terminal, ask: (address: string) => void): void {
  const activate = (_event: MouseEvent, text: string) => {
    const address = safeAddress(text);
    if (address) ask(address);
  };
  xterm.loadAddon(new WebLinksAddon(activate));
  xterm.options.linkHandler = { activate, allowNonHttpProtocols: false };
}
