// A program in the terminal may ask to copy something (OSC 52). It gets its way only by a click, and never to read.
import type { IDisposable, Terminal } from "@xterm/xterm";

/** In base64; more than that is no text that somebody wants to paste. */
const MOST = 400_000;

export function decodeOffer(data: string): string | null {
  const separator = data.indexOf(";");
  const payload = data.slice(separator + 1);
  if (separator < 0 || payload === "" || payload === "?" || payload.length > MOST) return null;
  try {
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** `offer` is called for live bytes only: what was offered long ago is of no interest. */
export function offerClipboard(
  xterm: Terminal,
  isLive: () => boolean,
  offer: (text: string) => void,
): IDisposable {
  return xterm.parser.registerOscHandler(52, (data) => {
    const text = isLive() ? decodeOffer(data) : null;
    if (text) offer(text);
    return true;
  });
}
