// One terminal, live: output in order onto a screen, input numbered and kept until it has arrived, and an honest word on
// how it stands. Everything is carried on after a break; nothing here knows what the bytes mean.
import {
  type EndReason,
  ReconnectingSocket,
  type SocketLike,
  type SocketStatus,
} from "./reconnecting-socket";
import {
  type Exit,
  type Hello,
  type OutputFrame,
  readOutput,
  readTerminalMessage,
  type Size,
  type TerminalMessage,
  type Viewers,
  writeInput,
} from "./terminal-frames";
import { TerminalInput } from "./terminal-input";
import { TerminalOutput } from "./terminal-output";

/** What shows the output. Calls take effect in their order, later than they are made. */
export interface TerminalScreen {
  /** `parsed` is called when the bytes are on the screen. */
  write(
    bytes: Uint8Array<ArrayBuffer>,
    frame: { isLive: boolean; mayAnswer: boolean },
    parsed: () => void,
  ): void;
  resize(size: Size): void;
  /** What comes is no continuation of what was there. */
  reset(): void;
}

/**
 * `connecting`; `waiting` for the box or for its link: typing is kept; `live`; `silent`: open, but the server says
 * nothing; `disconnected` until `retryAt`; `ended`: not to be had any more; `exited`: its program is done, and if
 * `isCut`, the end of what it printed is not there.
 */
export type TerminalConnection =
  | { state: "connecting" }
  | { state: "waiting"; reason: "starting" | "link" }
  | { state: "live" }
  | { state: "silent" }
  | { state: "disconnected"; retryAt: number; slowDown: boolean }
  | { state: "ended"; reason: EndReason }
  | { state: "exited"; exit: Exit; isCut: boolean };

export interface TerminalView {
  connection: TerminalConnection;
  size: Size | null;
  viewers: Viewers | null;
  isRecording: boolean;
  /** More of what was printed before is still to come. */
  isReplaying: boolean;
}

export interface TerminalFeedOptions {
  screen: TerminalScreen;
  /** The socket's address: which client, from which byte on, and how much room there is. */
  url: (query: { client: string; offset: number | null; size: Size | null }) => string;
  newClient: () => string;
  onChange: (view: TerminalView) => void;
  /** Of what was typed last it cannot be known whether it has arrived; it is not typed again. */
  onInputLost: () => void;
  open?: (url: string) => SocketLike;
  now?: () => number;
  random?: () => number;
}

const RESIZE_MS = 50;

export class TerminalFeed {
  readonly #options: TerminalFeedOptions;
  readonly #socket: ReconnectingSocket;
  readonly #output = new TerminalOutput();
  #input = new TerminalInput();
  #client: string;
  #room: Size | null = null;
  /** The room that the server has heard of, on this connection. */
  #saidRoom: Size | null = null;
  /** Where on this connection the replay ends. */
  #liveFrom = 0;
  #resizing: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  /** Between `hello` and the end of its connection: only then is somebody there to take input. */
  #isMet = false;
  /** A silence changes nothing: afterwards it stands as it stood. */
  #beforeSilence: TerminalConnection = { state: "connecting" };
  #view: TerminalView = {
    connection: { state: "connecting" },
    size: null,
    viewers: null,
    isRecording: false,
    isReplaying: false,
  };

  constructor(options: TerminalFeedOptions) {
    this.#options = options;
    this.#client = options.newClient();
    this.#socket = new ReconnectingSocket({
      url: () => {
        this.#saidRoom = this.#room;
        return options.url({ client: this.#client, offset: this.#output.next, size: this.#room });
      },
      onMessage: (raw) => this.#onMessage(raw),
      onBytes: (bytes) => this.#onOutput(readOutput(bytes)),
      onStatus: (status) => this.#onStatus(status),
      ...(options.open && { open: options.open }),
      ...(options.now && { now: options.now }),
      ...(options.random && { random: options.random }),
    });
  }

  get view(): TerminalView {
    return this.#view;
  }

  /** Bytes that were typed and are not known to have arrived. */
  get pendingInput(): number {
    return this.#input.pending;
  }

  connect(): void {
    this.#isClosed = false;
    this.#socket.connect();
  }

  /** The network came back, or the page is looked at again. */
  nudge(): void {
    if (!this.#isClosed) this.#socket.nudge();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#resizing);
    this.#socket.close();
  }

  /** False if it is more than can be kept, or if nobody is there any more to read it. */
  type(bytes: Uint8Array<ArrayBuffer>): boolean {
    const { state } = this.#view.connection;
    if (state === "exited" || state === "ended") return false;
    const isTaken = this.#input.push(bytes);
    this.#sendInput();
    return isTaken;
  }

  /** How much room this browser has; the smallest of all viewers wins and comes back. */
  setRoom(size: Size): void {
    if (size.rows === this.#room?.rows && size.cols === this.#room.cols) return;
    this.#room = size;
    clearTimeout(this.#resizing);
    this.#resizing = setTimeout(() => this.#sayRoom(), RESIZE_MS);
  }

  #sayRoom(): void {
    if (!this.#room || this.#room === this.#saidRoom || !this.#socket.isOpen) return;
    this.#saidRoom = this.#room;
    this.#socket.send({ type: "resize", ...this.#room });
  }

  #onStatus(status: SocketStatus): void {
    if (status.state === "open") {
      this.#sayRoom();
      if (this.#view.connection.state === "silent") this.#change({ connection: this.#beforeSilence });
      return;
    }
    if (status.state === "silent") {
      this.#beforeSilence = this.#view.connection;
      this.#change({ connection: { state: "silent" } });
      return;
    }
    this.#isMet = false;
    if (status.state === "waiting") {
      const { retryAt, slowDown } = status;
      this.#change({ connection: { state: "disconnected", retryAt, slowDown } });
    } else this.#change({ connection: status });
  }

  #onMessage(raw: string): void {
    const message = readTerminalMessage(raw);
    if (message) this.#take(message);
  }

  #take(message: TerminalMessage): void {
    switch (message.type) {
      case "waiting":
        this.#isMet = false;
        this.#change({ connection: { state: "waiting", reason: message.reason } });
        break;
      case "hello":
        this.#onHello(message);
        break;
      case "reset":
        this.#options.screen.reset();
        this.#output.moveTo(message.offset);
        this.#noteReplay();
        break;
      case "size":
        this.#resize(message);
        break;
      case "input":
        this.#input.acknowledge(message.offset);
        this.#sendInput();
        break;
      case "viewers":
        this.#change({ viewers: message });
        break;
      case "exit":
        this.close();
        this.#change({
          connection: { state: "exited", exit: message, isCut: message.offset > (this.#output.next ?? 0) },
          viewers: null,
        });
    }
  }

  #onHello(hello: Hello): void {
    if (!this.#input.resume(hello.input)) {
      // The sidecar does not know this client any more; what it did with the last bytes cannot be known.
      if (this.#input.pending > 0) this.#options.onInputLost();
      this.#input = new TerminalInput();
      this.#client = this.#options.newClient();
      this.#socket.connect();
      return;
    }
    this.#socket.proved();
    if (hello.reset) this.#options.screen.reset();
    // Otherwise it may begin before what is shown already: every message says where it belongs.
    if (hello.reset || this.#output.next === null) this.#output.moveTo(hello.offset);
    this.#resize(hello);
    this.#isMet = true;
    this.#liveFrom = hello.live_from;
    this.#change({ connection: { state: "live" }, isRecording: hello.recording });
    this.#noteReplay();
    this.#sendInput();
  }

  #resize({ rows, cols }: Size): void {
    this.#options.screen.resize({ rows, cols });
    this.#change({ size: { rows, cols } });
  }

  #onOutput({ offset, bytes, isLive, mayAnswer }: OutputFrame): void {
    const fresh = this.#output.take(offset, bytes);
    if (!fresh) {
      this.#socket.connect();
      return;
    }
    if (fresh.length === 0) return;
    this.#noteReplay();
    const end = offset + bytes.length;
    this.#options.screen.write(fresh, { isLive, mayAnswer }, () => {
      const acknowledged = this.#output.parsed(end);
      if (acknowledged !== null) this.#socket.send({ type: "ack", offset: acknowledged });
    });
  }

  #noteReplay(): void {
    const isReplaying = (this.#output.next ?? 0) < this.#liveFrom;
    if (isReplaying !== this.#view.isReplaying) this.#change({ isReplaying });
  }

  #sendInput(): void {
    if (!this.#isMet) return;
    for (let frame = this.#input.next(); frame; frame = this.#input.next()) {
      this.#socket.sendBytes(writeInput(frame.offset, frame.bytes));
    }
  }

  #change(part: Partial<TerminalView>): void {
    this.#view = { ...this.#view, ...part };
    this.#options.onChange(this.#view);
  }
}
