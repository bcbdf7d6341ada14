// Keeps one WebSocket open: backoff with a known time of the next try, a watchdog, and the meaning of close codes.
// Knows nothing of what the messages mean, except that they show that the connection lives.

export type EndReason = "signed_out" | "forbidden" | "gone" | "superseded";

export type SocketStatus =
  | { state: "connecting" }
  | { state: "open" }
  /** Open, but not even a heartbeat has come for longer than it should. */
  | { state: "silent" }
  /** `retryAt` is on the clock that was given, for a countdown. */
  | { state: "waiting"; retryAt: number; slowDown: boolean }
  | { state: "ended"; reason: EndReason };

/** The part of a browser's WebSocket that is used here. */
export interface SocketLike {
  /** 1 while something can be sent. */
  readonly readyState: number;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
  onopen: (() => void) | null;
  onmessage: ((message: { data: unknown }) => void) | null;
  onclose: ((close: { code: number }) => void) | null;
}

export interface SocketOptions {
  /** The address for the next try: it names the cursor, so it is asked for anew each time. */
  url: () => string;
  onMessage: (raw: string) => void;
  /** Binary messages. */
  onBytes?: (bytes: Uint8Array<ArrayBuffer>) => void;
  onStatus: (status: SocketStatus) => void;
  open?: (url: string) => SocketLike;
  /** Monotonic milliseconds. */
  now?: () => number;
  random?: () => number;
}

const FINAL: Record<number, EndReason> = {
  4401: "signed_out",
  4403: "forbidden",
  4404: "gone",
  4409: "superseded",
};
const SLOW_DOWN = 4429;
const OPEN = 1;
const OPEN_TIMEOUT_MS = 10_000;
const SILENT_MS = 13_000;
const DEAD_MS = 22_000;
const FIRST_DELAY_MS = 400;
const MAX_DELAY_MS = 15_000;
const SLOW_DOWN_MS = 5_000;

function openBrowserSocket(url: string): SocketLike {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  return socket as unknown as SocketLike;
}

export class ReconnectingSocket {
  readonly #options: Required<Omit<SocketOptions, "onBytes">> & Pick<SocketOptions, "onBytes">;
  #socket: SocketLike | null = null;
  #status: SocketStatus = { state: "connecting" };
  #failures = 0;
  #heardAt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setInterval> | undefined;

  constructor(options: SocketOptions) {
    this.#options = {
      open: openBrowserSocket,
      now: () => performance.now(),
      random: Math.random,
      ...options,
    };
  }

  get status(): SocketStatus {
    return this.#status;
  }

  /** Opens a connection now, whatever was before: the first time, after a gap, or when the user asks. */
  connect(): void {
    this.#drop();
    this.#say({ state: "connecting" });
    this.#heardAt = this.#options.now();
    const socket = this.#options.open(this.#options.url());
    this.#socket = socket;
    socket.onopen = () => {
      if (socket !== this.#socket) return;
      this.#heardAt = this.#options.now();
      this.#say({ state: "open" });
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      this.#heardAt = this.#options.now();
      if (this.#status.state !== "open") this.#say({ state: "open" });
      if (data instanceof ArrayBuffer) this.#options.onBytes?.(new Uint8Array(data));
      else this.#options.onMessage(String(data));
    };
    socket.onclose = ({ code }) => {
      if (socket === this.#socket) this.#closed(code);
    };
    this.#watchdog = setInterval(() => this.check(), 1000);
  }

  /** The connection has proved itself: the next failure starts with a short delay again. */
  proved(): void {
    this.#failures = 0;
  }

  /** Tries at once if a try is pending: the network came back, or the page is looked at again. */
  nudge(): void {
    if (this.#status.state === "waiting" && !this.#status.slowDown) this.connect();
    else this.check();
  }

  /** Looks at how long nothing was heard. Called every second; timers of hidden pages may come late. */
  check(): void {
    const silence = this.#options.now() - this.#heardAt;
    const { state } = this.#status;
    if (state === "connecting" && silence > OPEN_TIMEOUT_MS) this.#closed(0);
    else if ((state === "open" || state === "silent") && silence > DEAD_MS) this.#closed(0);
    else if (state === "open" && silence > SILENT_MS) this.#say({ state: "silent" });
  }

  /** What cannot be sent is lost: whoever sends something that matters sends it again when the other end asks. */
  send(message: object): void {
    if (this.isOpen) this.#socket?.send(JSON.stringify(message));
  }

  sendBytes(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.isOpen) this.#socket?.send(bytes);
  }

  get isOpen(): boolean {
    const { state } = this.#status;
    // A connection may be closing already without having said so.
    return (state === "open" || state === "silent") && this.#socket?.readyState === OPEN;
  }

  /** Ends for good. */
  close(): void {
    this.#drop();
  }

  #closed(code: number): void {
    this.#drop();
    const reason = FINAL[code];
    if (reason) {
      this.#say({ state: "ended", reason });
      return;
    }
    const slowDown = code === SLOW_DOWN;
    const ceiling = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures);
    const jittered = ceiling * (0.6 + 0.4 * this.#options.random());
    const delay = slowDown ? Math.max(SLOW_DOWN_MS, jittered) : jittered;
    this.#failures += 1;
    this.#retry = setTimeout(() => this.connect(), delay);
    this.#say({ state: "waiting", retryAt: this.#options.now() + delay, slowDown });
  }

  #drop(): void {
    clearTimeout(this.#retry);
    clearInterval(this.#watchdog);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }

  #say(status: SocketStatus): void {
    this.#status = status;
    this.#options.onStatus(status);
  }
}
