// xterm.js parses later than it is given bytes. This knows what the bytes are that it parses at this moment, and does
// other things in their place between them.
import type { Terminal } from "@xterm/xterm";

export interface Origin {
  /** Written by the program after this viewer came; otherwise replayed. */
  isLive: boolean;
  /** What these bytes ask is for this viewer to answer. */
  mayAnswer: boolean;
}

const NOBODY: Origin = { isLive: false, mayAnswer: false };
/** Ends whatever sequence was begun, and whatever character. */
const CANCEL = Uint8Array.of(0x18);

export class Parsing {
  /** In order; the first one is being parsed, or is next. */
  #origins: Origin[] = [];

  get now(): Origin {
    return this.#origins[0] ?? NOBODY;
  }

  write(xterm: Terminal, bytes: Uint8Array, origin: Origin, parsed: () => void): void {
    this.#origins.push(origin);
    xterm.write(bytes, () => {
      this.#origins.shift();
      parsed();
    });
  }

  /** Does it when everything before is parsed. */
  run(xterm: Terminal, action: () => void): void {
    this.write(xterm, new Uint8Array(), NOBODY, action);
  }

  /** The same, and no half sequence of what was before is continued by what comes. */
  reset(xterm: Terminal, action: () => void): void {
    this.write(xterm, CANCEL, NOBODY, action);
  }
}
