// One session, live: a snapshot first, then the log after it, then whatever happens; and an honest word on how it stands.
import type { Conversation } from "./conversation";
import { type LogEvent, lastNumber } from "./events";
import {
  type EndReason,
  ReconnectingSocket,
  type SocketLike,
  type SocketStatus,
} from "./reconnecting-socket";
import { readFrame, type VersionedState } from "./session-frames";
import { SessionLog } from "./session-log";

/**
 * `loading` the snapshot; `catching_up` with the log; `live`: everything that happened is shown; `silent`: live, but
 * the server says nothing; `disconnected` until `retryAt`; `ended` until somebody calls `restart`.
 */
export type Connection =
  | { state: "loading" }
  | { state: "catching_up" }
  | { state: "live" }
  | { state: "silent" }
  | { state: "disconnected"; retryAt: number; slowDown: boolean }
  | { state: "ended"; reason: EndReason };

export interface FeedView<S extends VersionedState> {
  connection: Connection;
  conversation: Conversation;
  state: S | null;
  /** False until the first snapshot has come. */
  loaded: boolean;
}

/** Thrown by `loadSnapshot` when trying again is of no use. */
export class SnapshotRefused extends Error {
  constructor(readonly reason: EndReason) {
    super(`the snapshot was refused: ${reason}`);
  }
}

export interface FeedOptions<S extends VersionedState> {
  loadSnapshot: () => Promise<Conversation>;
  /** The socket's address for a cursor. */
  url: (after: string) => string;
  onChange: (view: FeedView<S>) => void;
  /** Each event that was taken, once: for what the conversation does not keep. */
  onEvent?: (event: LogEvent) => void;
  open?: (url: string) => SocketLike;
  now?: () => number;
  random?: () => number;
}

const ACK_EVENTS = 64;
const ACK_MS = 250;

export class SessionFeed<S extends VersionedState> {
  readonly #options: FeedOptions<S>;
  readonly #log = new SessionLog();
  readonly #socket: ReconnectingSocket;
  #view: FeedView<S>;
  #isLive = false;
  #isRunning = false;
  #loads = 0;
  #loadFailures = 0;
  #loadRetry: ReturnType<typeof setTimeout> | undefined;
  #unacknowledged = 0;
  #lastSeq = 0;
  #ackTimer: ReturnType<typeof setTimeout> | undefined;
  #suspectedSeq = 0;

  constructor(options: FeedOptions<S>) {
    this.#options = options;
    this.#view = {
      connection: { state: "loading" },
      conversation: this.#log.conversation,
      state: null,
      loaded: false,
    };
    this.#socket = new ReconnectingSocket({
      url: () => options.url(`${this.#log.cursor.gen}.${this.#log.cursor.seq}`),
      onMessage: (raw) => this.#onMessage(raw),
      onStatus: (status) => this.#onStatus(status),
      ...(options.open && { open: options.open }),
      ...(options.now && { now: options.now }),
      ...(options.random && { random: options.random }),
    });
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  get view(): FeedView<S> {
    return this.#view;
  }

  /** Loads the snapshot, then follows. Also the way back from `ended`. */
  start(): void {
    clearTimeout(this.#loadRetry);
    this.#isRunning = true;
    if (this.#view.loaded) this.#socket.connect();
    else void this.#load();
  }

  /** Tries at once instead of waiting for the countdown. */
  retryNow(): void {
    if (this.#view.connection.state === "disconnected") this.start();
  }

  /** The network came back, or the page is looked at again. */
  nudge(): void {
    if (!this.#view.loaded) this.retryNow();
    else this.#socket.nudge();
  }

  close(): void {
    this.#isRunning = false;
    this.#loads += 1;
    clearTimeout(this.#loadRetry);
    clearTimeout(this.#ackTimer);
    this.#socket.close();
  }

  async #load(): Promise<void> {
    this.#loads += 1;
    const load = this.#loads;
    this.#socket.close();
    this.#change({ connection: { state: this.#view.loaded ? "catching_up" : "loading" } });
    try {
      const conversation = await this.#options.loadSnapshot();
      if (load !== this.#loads) return;
      this.#loadFailures = 0;
      this.#log.reset(conversation);
      this.#change({ conversation, loaded: true });
      this.#socket.connect();
    } catch (error) {
      if (load === this.#loads) this.#loadFailed(error);
    }
  }

  #loadFailed(error: unknown): void {
    if (error instanceof SnapshotRefused) {
      this.#change({ connection: { state: "ended", reason: error.reason } });
      return;
    }
    const delay = Math.min(15_000, 500 * 2 ** this.#loadFailures);
    this.#loadFailures += 1;
    const now = this.#options.now ?? (() => performance.now());
    this.#change({ connection: { state: "disconnected", retryAt: now() + delay, slowDown: false } });
    this.#loadRetry = setTimeout(() => void this.#load(), delay);
  }

  #onStatus(status: SocketStatus): void {
    switch (status.state) {
      case "connecting":
        this.#isLive = false;
        this.#suspectedSeq = 0;
        this.#change({ connection: { state: "catching_up" } });
        break;
      case "open":
        this.#change({ connection: { state: this.#isLive ? "live" : "catching_up" } });
        break;
      case "silent":
        this.#change({ connection: { state: "silent" } });
        break;
      case "waiting":
        this.#isLive = false;
        this.#change({
          connection: { state: "disconnected", retryAt: status.retryAt, slowDown: status.slowDown },
        });
        break;
      case "ended":
        this.#isLive = false;
        this.#change({ connection: status });
    }
  }

  #onMessage(raw: string): void {
    const frame = readFrame<S>(raw);
    switch (frame?.type) {
      case "hello":
        this.#takeState(frame.state);
        // The log here is of a generation that the platform does not have: it was set back to a backup.
        if (frame.stored[0] < this.#log.cursor.gen) void this.#load();
        break;
      case "state":
        this.#takeState(frame.state);
        break;
      case "events":
        this.#takeEvents(frame.events);
        break;
      case "live":
        this.#isLive = true;
        this.#socket.proved();
        this.#change({ connection: { state: "live" } });
        break;
      case "heartbeat":
        this.#heartbeat(frame.seq);
    }
  }

  #takeState(state: S): void {
    const known = this.#view.state;
    if (!known || state.version >= known.version) this.#change({ state });
  }

  #takeEvents(events: LogEvent[]): void {
    for (const event of events) {
      const verdict = this.#log.accept(event, this.#isLive);
      if (verdict === "ok") {
        this.#options.onEvent?.(event);
        continue;
      }
      this.#show();
      if (verdict === "gap") this.#socket.connect();
      else void this.#load();
      return;
    }
    this.#show();
    const last = events.at(-1);
    if (last) this.#acknowledge(lastNumber(last), events.length);
  }

  /** A heartbeat names a number that should be here by now; the next one that still does proves a loss. */
  #heartbeat(seq: number): void {
    if (!this.#isLive || seq <= this.#log.covered) this.#suspectedSeq = 0;
    else if (this.#suspectedSeq > this.#log.covered) this.#socket.connect();
    else this.#suspectedSeq = seq;
  }

  #acknowledge(seq: number, count: number): void {
    this.#unacknowledged += count;
    this.#lastSeq = seq;
    if (this.#unacknowledged >= ACK_EVENTS) this.#sendAck();
    else this.#ackTimer ??= setTimeout(() => this.#sendAck(), ACK_MS);
  }

  #sendAck(): void {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    this.#unacknowledged = 0;
    this.#socket.send({ type: "ack", seq: this.#lastSeq });
  }

  #show(): void {
    if (this.#log.conversation !== this.#view.conversation)
      this.#change({ conversation: this.#log.conversation });
  }

  #change(part: Partial<FeedView<S>>): void {
    if (!this.#isRunning) return;
    this.#view = { ...this.#view, ...part };
    this.#options.onChange(this.#view);
  }
}
