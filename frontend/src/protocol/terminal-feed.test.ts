// A terminal's feed against a scripted server: what gets onto the screen, what is typed, and what the view says.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeSocket } from "./fake-socket";
import { TerminalFeed, type TerminalView } from "./terminal-feed";

const bytes = (text: string) => new TextEncoder().encode(text);
const FLAGS = { replay: 0, live: 1, answer: 3 };

let screen: string[];
let pendingParses: (() => void)[];
let view: TerminalView;
let feed: TerminalFeed;
let clients: number;
let timesInputWasLost: number;

function socket(): FakeSocket {
  const last = FakeSocket.all.at(-1);
  if (!last) throw new Error("no socket was opened");
  return last;
}

function output(offset: number, text: string, flags = FLAGS.live): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([flags, 0, 0, 0, 0, 0, 0, offset >> 8, offset & 255, ...bytes(text)]);
}

function hello(change: object = {}): object {
  return {
    type: "hello",
    offset: 0,
    reset: false,
    live_from: 0,
    input: 0,
    rows: 24,
    cols: 80,
    closed: false,
    recording: false,
    ...change,
  };
}

/** What was typed, as the messages that carried it. */
function typed(from = socket()): [number, string][] {
  return from.sent
    .filter((message) => message instanceof Uint8Array)
    .map((message) => [message[8] ?? 0, new TextDecoder().decode(message.subarray(9))]);
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  screen = [];
  pendingParses = [];
  clients = 0;
  timesInputWasLost = 0;
  feed = new TerminalFeed({
    screen: {
      write: (part, { isLive, mayAnswer }, parsed) => {
        const how = isLive ? (mayAnswer ? "answer" : "live") : "replay";
        screen.push(`${how} ${new TextDecoder().decode(part)}`);
        pendingParses.push(parsed);
      },
      resize: ({ rows, cols }) => screen.push(`${rows}x${cols}`),
      reset: () => screen.push("reset"),
    },
    url: ({ client, offset, size }) => `/ws/?${client}&${offset}&${size?.rows}`,
    newClient: () => `c${++clients}`,
    onChange: (next) => {
      view = next;
    },
    onInputLost: () => {
      timesInputWasLost += 1;
    },
    open: (url) => new FakeSocket(url),
    now: () => Date.now(),
    random: () => 1,
  });
  feed.connect();
  socket().onopen?.();
});

afterEach(() => {
  feed.close();
  vi.useRealTimers();
});

test("output gets onto the screen in order with what the server says about it", () => {
  socket().down(hello({ offset: 5, live_from: 8 }));
  socket().downBytes(output(5, "old", FLAGS.replay));
  socket().down({ type: "size", offset: 8, rows: 10, cols: 40 });
  socket().downBytes(output(8, "new"));
  socket().downBytes(output(11, "?", FLAGS.answer));
  expect(screen).toEqual(["24x80", "replay old", "10x40", "live new", "answer ?"]);
  expect(view.size).toEqual({ rows: 10, cols: 40 });
});

test("it is known whether more of what was printed before is to come", () => {
  socket().down(hello({ offset: 5, live_from: 8 }));
  expect(view.isReplaying).toBe(true);
  socket().downBytes(output(5, "ol", FLAGS.replay));
  expect(view.isReplaying).toBe(true);
  socket().downBytes(output(7, "d", FLAGS.replay));
  expect(view.isReplaying).toBe(false);
  socket().down(hello({ offset: 8, live_from: 20 }));
  expect(view.isReplaying).toBe(true);
  socket().down({ type: "reset", offset: 20 });
  expect(view.isReplaying).toBe(false);
});

test("what is parsed is acknowledged, not what has come", () => {
  socket().down(hello());
  socket().downBytes(output(0, "abc"));
  socket().downBytes(output(3, "def"));
  expect(socket().sent).toEqual([]);
  for (const parsed of pendingParses) parsed();
  expect(socket().sent).toEqual([{ type: "ack", offset: 6 }]);
});

test("after a break it goes on from the last byte, and repeats are not shown", () => {
  socket().down(hello());
  socket().downBytes(output(0, "abc"));
  socket().onclose?.({ code: 1006 });
  expect(view.connection.state).toBe("disconnected");
  vi.advanceTimersByTime(500);
  expect(socket().url).toContain("c1&3");
  socket().onopen?.();
  socket().down(hello({ offset: 1 }));
  socket().downBytes(output(1, "bcd", FLAGS.replay));
  expect(screen).toEqual(["24x80", "live abc", "24x80", "replay d"]);
  expect(view.connection.state).toBe("live");
});

test("what has left the ring resets the screen, on a new connection and on an open one", () => {
  socket().down(hello());
  socket().downBytes(output(0, "abc"));
  socket().down(hello({ offset: 900, reset: true }));
  socket().downBytes(output(900, "x", FLAGS.replay));
  socket().down({ type: "reset", offset: 2000 });
  socket().downBytes(output(2000, "y"));
  expect(screen).toEqual(["24x80", "live abc", "reset", "24x80", "replay x", "reset", "live y"]);
});

test("a hole in the output is never shown: it asks again", () => {
  socket().down(hello());
  socket().downBytes(output(0, "abc"));
  const before = FakeSocket.all.length;
  socket().downBytes(output(9, "x"));
  expect(FakeSocket.all.length).toBe(before + 1);
  expect(socket().url).toContain("c1&3");
  expect(screen.at(-1)).toBe("live abc");
});

test("what is typed before anybody is there is kept and sent once", () => {
  feed.type(bytes("ls"));
  socket().down({ type: "waiting", reason: "starting" });
  feed.type(bytes("\r"));
  expect(view.connection).toEqual({ state: "waiting", reason: "starting" });
  expect(typed()).toEqual([]);
  socket().down(hello());
  expect(typed()).toEqual([[0, "ls\r"]]);
  socket().down({ type: "input", offset: 3 });
  expect(feed.pendingInput).toBe(0);
});

test("a break between typing and its acknowledgement loses and doubles nothing", () => {
  socket().down(hello());
  feed.type(bytes("abc"));
  feed.type(bytes("def"));
  socket().onclose?.({ code: 1006 });
  feed.type(bytes("ghi"));
  vi.advanceTimersByTime(500);
  socket().onopen?.();
  socket().down(hello({ input: 4 }));
  expect(typed()).toEqual([[4, "efghi"]]);
});

test("when only the link was cut, the same socket says so and goes on", () => {
  socket().down(hello());
  feed.type(bytes("abc"));
  socket().down({ type: "waiting", reason: "link" });
  feed.type(bytes("d"));
  socket().down(hello({ input: 2 }));
  expect(typed()).toEqual([
    [0, "abc"],
    [2, "cd"],
  ]);
  expect(FakeSocket.all.length).toBe(1);
});

test("a sidecar that has forgotten this client meets a new one", () => {
  socket().down(hello());
  feed.type(bytes("abc"));
  socket().down({ type: "input", offset: 3 });
  feed.type(bytes("x"));
  socket().down(hello({ input: 0 }));
  expect(socket().url).toContain("c2&");
  expect(timesInputWasLost).toBe(1);
  socket().onopen?.();
  socket().down(hello());
  feed.type(bytes("new"));
  expect(typed()).toEqual([[0, "new"]]);
});

test("a client that is forgotten when all that was typed has arrived has lost nothing", () => {
  socket().down(hello());
  feed.type(bytes("abc"));
  socket().down({ type: "input", offset: 3 });
  socket().down(hello({ input: 0 }));
  expect(socket().url).toContain("c2&");
  expect(timesInputWasLost).toBe(0);
});

test("many sizes in a row are said once", () => {
  socket().down(hello());
  for (let cols = 80; cols < 90; cols += 1) feed.setRoom({ rows: 24, cols });
  vi.advanceTimersByTime(60);
  expect(socket().sent).toEqual([{ type: "resize", rows: 24, cols: 89 }]);
});

test("a size that changed while it was connecting is said when it is connected", () => {
  feed.setRoom({ rows: 30, cols: 90 });
  socket().onclose?.({ code: 1006 });
  vi.advanceTimersByTime(500);
  expect(socket().url).toContain("&30");
  feed.setRoom({ rows: 31, cols: 90 });
  vi.advanceTimersByTime(100);
  expect(socket().sent).toEqual([]);
  socket().onopen?.();
  expect(socket().sent).toEqual([{ type: "resize", rows: 31, cols: 90 }]);
});

test("the end of the program is the end of the connection", () => {
  socket().down(hello());
  socket().downBytes(output(0, "abc"));
  const exit = { type: "exit", offset: 3, reason: "exited", exit_code: 0, message: "" };
  socket().down(exit);
  expect(view.connection).toEqual({ state: "exited", exit, isCut: false });
  expect(socket().closed).toBe(true);
  expect(feed.type(bytes("x"))).toBe(false);
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.all.length).toBe(1);
});

test("a replay that ends before the output did does not pass for the whole", () => {
  socket().down(hello({ closed: true }));
  socket().downBytes(output(0, "abc", FLAGS.replay));
  socket().down({ type: "exit", offset: 9, reason: "stopped", exit_code: null, message: "" });
  expect(view.connection).toMatchObject({ state: "exited", isCut: true });
});

test("a terminal that is gone is not asked for again", () => {
  socket().onclose?.({ code: 4404 });
  expect(view.connection).toEqual({ state: "ended", reason: "gone" });
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.all.length).toBe(1);
});

test("after a silence it stands as it stood before: only who was met is live", () => {
  const afterSilence = () => {
    vi.advanceTimersByTime(14_000);
    expect(view.connection.state).toBe("silent");
    socket().down({ type: "heartbeat" });
    return view.connection;
  };
  expect(afterSilence()).toEqual({ state: "connecting" });
  socket().down({ type: "waiting", reason: "link" });
  expect(afterSilence()).toEqual({ state: "waiting", reason: "link" });
  socket().down(hello());
  expect(afterSilence()).toEqual({ state: "live" });
});
