// The messages of a terminal's socket (docs/terminals.md): flags and an offset before bytes, and JSON around them.

const HEAD_BYTES = 9;
const LIVE = 1;
const ANSWER = 2;

export interface OutputFrame {
  /** Of the first byte, from the terminal's beginning. */
  offset: number;
  /** Written after this viewer came; otherwise replayed. */
  isLive: boolean;
  /** This client is the one that answers what these bytes ask. */
  mayAnswer: boolean;
  bytes: Uint8Array<ArrayBuffer>;
}

export interface Size {
  rows: number;
  cols: number;
}

export interface Viewer {
  id: number;
  name: string;
  rows: number | null;
  cols: number | null;
}

export interface Hello extends Size {
  type: "hello";
  offset: number;
  reset: boolean;
  live_from: number;
  input: number;
  closed: boolean;
  recording: boolean;
}

export interface Viewers {
  type: "viewers";
  you: number;
  leader: number;
  typist: number | null;
  viewers: Viewer[];
}

export interface Exit {
  type: "exit";
  offset: number;
  reason: string;
  exit_code: number | null;
  message: string;
}

export type TerminalMessage =
  | { type: "waiting"; reason: "starting" | "link" }
  | Hello
  | { type: "reset"; offset: number }
  | ({ type: "size"; offset: number } & Size)
  | { type: "input"; offset: number }
  | Viewers
  | Exit
  | { type: "heartbeat" };

const TYPES = new Set(["waiting", "hello", "reset", "size", "input", "viewers", "exit", "heartbeat"]);

/** The message in `raw`; null for one of a type that this version does not know. Throws on what is no message. */
export function readTerminalMessage(raw: string): TerminalMessage | null {
  const message: unknown = JSON.parse(raw);
  if (typeof message !== "object" || message === null || !("type" in message)) {
    throw new Error("not a message of a terminal");
  }
  return TYPES.has(String(message.type)) ? (message as TerminalMessage) : null;
}

export function readOutput(message: Uint8Array<ArrayBuffer>): OutputFrame {
  if (message.length < HEAD_BYTES) throw new Error("output without a head");
  const head = new DataView(message.buffer, message.byteOffset, HEAD_BYTES);
  const flags = head.getUint8(0);
  return {
    offset: Number(head.getBigUint64(1)),
    isLive: (flags & LIVE) !== 0,
    mayAnswer: (flags & ANSWER) !== 0,
    bytes: message.subarray(HEAD_BYTES),
  };
}

export function writeInput(offset: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(HEAD_BYTES + bytes.length);
  new DataView(message.buffer).setBigUint64(1, BigInt(offset));
  message.set(bytes, HEAD_BYTES);
  return message;
}
