// What was typed in this browser, numbered by offset and kept until the sidecar has acknowledged it: after a break it
// is sent again from where the sidecar stands, so no keystroke is lost or doubled.

/** This much may be on its way; the rest waits here. */
const WINDOW_BYTES = 64 * 1024;
const FRAME_BYTES = 16 * 1024;
/** More than this is not kept: nobody types it, and a paste of that size belongs into a file. */
export const MAX_UNSENT_BYTES = 16 * 1024 * 1024;

export interface InputFrame {
  offset: number;
  bytes: Uint8Array<ArrayBuffer>;
}

export class TerminalInput {
  /** In order; the first one begins at `#acknowledged`. */
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  #acknowledged = 0;
  #sent = 0;
  #end = 0;

  /** Bytes that the sidecar does not have yet, as far as this browser knows. */
  get pending(): number {
    return this.#end - this.#acknowledged;
  }

  /** False if it is too much to be kept; then none of it was taken. */
  push(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.pending + bytes.length > MAX_UNSENT_BYTES) return false;
    if (bytes.length) this.#chunks.push(bytes);
    this.#end += bytes.length;
    return true;
  }

  /** The next frame that may be sent now, if any. */
  next(): InputFrame | null {
    const room = Math.min(FRAME_BYTES, this.#acknowledged + WINDOW_BYTES - this.#sent);
    const size = Math.min(room, this.#end - this.#sent);
    if (size <= 0) return null;
    const frame = { offset: this.#sent, bytes: this.#slice(this.#sent, size) };
    this.#sent += size;
    return frame;
  }

  /** The sidecar has everything before `offset`. */
  acknowledge(offset: number): void {
    if (offset > this.#end || offset <= this.#acknowledged) return;
    let drop = offset - this.#acknowledged;
    let whole = 0;
    for (const chunk of this.#chunks) {
      if (chunk.length > drop) break;
      drop -= chunk.length;
      whole += 1;
    }
    this.#chunks.splice(0, whole);
    const [first] = this.#chunks;
    if (first && drop > 0) this.#chunks[0] = first.subarray(drop);
    this.#acknowledged = offset;
    this.#sent = Math.max(this.#sent, offset);
  }

  /**
   * A new connection to a sidecar that has everything before `offset`: what is behind that goes once more. False if
   * that is not a place between what it had acknowledged and what was typed: then it knows another client.
   */
  resume(offset: number): boolean {
    if (offset < this.#acknowledged || offset > this.#end) return false;
    this.acknowledge(offset);
    this.#sent = this.#acknowledged;
    return true;
  }

  #slice(offset: number, size: number): Uint8Array<ArrayBuffer> {
    const slice = new Uint8Array(size);
    let at = this.#acknowledged;
    let filled = 0;
    for (const chunk of this.#chunks) {
      if (filled === size) break;
      const from = Math.max(0, offset + filled - at);
      const part = chunk.subarray(from, from + size - filled);
      slice.set(part, filled);
      filled += part.length;
      at += chunk.length;
    }
    return slice;
  }
}
