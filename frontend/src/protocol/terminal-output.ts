// Where a terminal's output stands in this browser: by absolute offset, so nothing is shown twice and a hole is seen.

const ACK_BYTES = 32 * 1024;

export class TerminalOutput {
  #next: number | null = null;
  #parsed = 0;
  #acknowledged = 0;

  /** The end of what was handed to the screen; null before anything was. */
  get next(): number | null {
    return this.#next;
  }

  /** What comes next begins at `offset`, whatever was before. */
  moveTo(offset: number): void {
    this.#next = offset;
    this.#parsed = offset;
    this.#acknowledged = offset;
  }

  /** What of these bytes is new, perhaps nothing; null if something before them is missing. */
  take(offset: number, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | null {
    const next = this.#next ?? offset;
    if (offset > next) return null;
    const fresh = bytes.subarray(next - offset);
    this.#next = next + fresh.length;
    return fresh;
  }

  /** The screen has parsed everything before `offset`. The offset to acknowledge now, or null: later is enough. */
  parsed(offset: number): number | null {
    if (offset <= this.#parsed) return null;
    this.#parsed = offset;
    const isDue = offset - this.#acknowledged >= ACK_BYTES || offset === this.#next;
    if (!isDue) return null;
    this.#acknowledged = offset;
    return offset;
  }
}
