// A scripted server's end of a WebSocket, for tests.
import type { SocketLike } from "./reconnecting-socket";

export class FakeSocket implements SocketLike {
  static all: FakeSocket[] = [];
  static storedGen: number | null = null;
  sent: unknown[] = [];
  closed = false;
  readyState = 1;
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((close: { code: number }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.sent.push(typeof data === "string" ? JSON.parse(data) : data);
  }

  close(): void {
    this.closed = true;
  }

  down(...frames: object[]): void {
    for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) });
  }

  downBytes(bytes: Uint8Array<ArrayBuffer>): void {
    this.onmessage?.({ data: bytes.slice().buffer });
  }

  /** What a server does at once on a healthy connection. */
  greet(version = 1): void {
    const gen = Number(/after=(\d+)/.exec(this.url)?.[1]);
    this.onopen?.();
    this.down({
      type: "hello",
      stored: [FakeSocket.storedGen ?? gen, 0],
      state: { version, name: `v${version}` },
    });
  }
}
