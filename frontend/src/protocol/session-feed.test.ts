// The feed against a scripted server: what is shown, what is acknowledged, and what the status says, through every fault.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Conversation, EMPTY } from "./conversation";
import type { LogEvent } from "./events";
import { FakeSocket } from "./fake-socket";
import { foldAll } from "./fold";
import { type FeedView, SessionFeed, SnapshotRefused } from "./session-feed";

interface State {
  version: number;
  name: string;
}

const TURN = "6f1c2a34-0d5e-4b7f-9a10-1c2d3e4f5a01";
const delta = (seq: number, text: string, gen = 1): LogEvent => ({
  v: 1,
  seq,
  gen,
  turn: TURN,
  ts: "2026-11-22T10:00:00.000Z",
  kind: "message.delta",
  data: { part_id: "p", offset: seq - 1, text },
});
const events = (...list: LogEvent[]) => ({ type: "events", events: list });

let view: FeedView<State>;
let snapshot: () => Promise<Conversation>;
let feed: SessionFeed<State>;

function text(): string {
  const item = view.conversation.turns[0]?.items[0];
  return item?.type === "message" ? item.text : "";
}

function socket(): FakeSocket {
  const last = FakeSocket.all.at(-1);
  if (!last) throw new Error("no socket was opened");
  return last;
}

beforeEach(async () => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  FakeSocket.storedGen = null;
  snapshot = async () => EMPTY;
  feed = new SessionFeed<State>({
    loadSnapshot: () => snapshot(),
    url: (after) => `/ws/?after=${after}`,
    onChange: (next) => {
      view = next;
    },
    open: (url) => new FakeSocket(url),
    now: () => Date.now(),
    random: () => 1,
  });
});

afterEach(() => {
  feed.close();
  vi.useRealTimers();
});

async function start(): Promise<void> {
  feed.start();
  await vi.advanceTimersByTimeAsync(0);
}

async function goLive(): Promise<void> {
  await start();
  socket().greet();
  socket().down({ type: "live" });
}

describe("SessionFeed", () => {
  test("loads the snapshot, then asks for what came after it", async () => {
    snapshot = async () => foldAll([delta(1, "a"), delta(2, "b")]);
    await start();
    expect(view).toMatchObject({ loaded: true, connection: { state: "catching_up" } });
    expect(socket().url).toBe("/ws/?after=1.2");
    socket().greet();
    socket().down(events(delta(3, "c")));
    expect(view.connection.state).toBe("catching_up");
    socket().down({ type: "live" });
    expect(view).toMatchObject({ connection: { state: "live" }, state: { name: "v1" } });
    expect(text()).toBe("abc");
  });

  test("the newest state wins, whatever order they come in", async () => {
    await goLive();
    socket().down({ type: "state", state: { version: 5, name: "five" } });
    socket().down({ type: "state", state: { version: 4, name: "four" } });
    expect(view.state?.name).toBe("five");
  });

  test("acknowledges every 64 events and otherwise within 250 ms", async () => {
    await goLive();
    socket().down(events(delta(1, "a")));
    await vi.advanceTimersByTimeAsync(200);
    socket().down(events(delta(2, "b")));
    expect(socket().sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(50);
    expect(socket().sent).toEqual([{ type: "ack", seq: 2 }]);
    socket().down(events(...Array.from({ length: 64 }, (_, index) => delta(3 + index, "c"))));
    expect(socket().sent).toEqual([
      { type: "ack", seq: 2 },
      { type: "ack", seq: 66 },
    ]);
  });

  test("a lost connection is counted down, resumed after the last number, and nothing is repeated", async () => {
    await goLive();
    socket().down(events(delta(1, "a"), delta(2, "b")));
    const first = socket();
    first.onclose?.({ code: 1006 });
    expect(view.connection).toEqual({ state: "disconnected", retryAt: Date.now() + 400, slowDown: false });
    first.down(events(delta(3, "late on a dead socket")));
    await vi.advanceTimersByTimeAsync(400);
    expect(socket().url).toBe("/ws/?after=1.2");
    socket().greet();
    socket().down(events(delta(2, "b"), delta(3, "c")), { type: "live" });
    expect(text()).toBe("abc");
    expect(view.connection.state).toBe("live");
  });

  test("waits longer each time, at most 15 s, and starts short again once live", async () => {
    await goLive();
    const delays: number[] = [];
    for (let round = 0; round < 9; round += 1) {
      socket().onclose?.({ code: 1006 });
      if (view.connection.state !== "disconnected") throw new Error("not disconnected");
      const delay = view.connection.retryAt - Date.now();
      delays.push(delay);
      await vi.advanceTimersByTimeAsync(delay);
    }
    expect(delays).toEqual([400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000, 15_000]);
    socket().greet();
    socket().down({ type: "live" });
    socket().onclose?.({ code: 1006 });
    expect(view.connection).toMatchObject({ retryAt: Date.now() + 400 });
  });

  test("the user or the network may shorten the wait", async () => {
    await goLive();
    socket().onclose?.({ code: 1006 });
    feed.retryNow();
    expect(FakeSocket.all.length).toBe(2);
    socket().onclose?.({ code: 1006 });
    feed.nudge();
    expect(FakeSocket.all.length).toBe(3);
  });

  test("a gap is filled from the log by a new connection", async () => {
    await goLive();
    socket().down(events(delta(1, "a"), delta(3, "c")));
    expect(text()).toBe("a");
    expect(FakeSocket.all.length).toBe(2);
    expect(socket().url).toBe("/ws/?after=1.1");
    socket().greet();
    socket().down(events(delta(2, "b"), delta(3, "c")), { type: "live" });
    expect(text()).toBe("abc");
  });

  test("two heartbeats that name a number which is not here prove a loss", async () => {
    await goLive();
    socket().down(events(delta(1, "a")), { type: "heartbeat", seq: 2 });
    expect(FakeSocket.all.length).toBe(1);
    socket().down({ type: "heartbeat", seq: 2 });
    expect(FakeSocket.all.length).toBe(2);
    expect(socket().url).toBe("/ws/?after=1.1");
  });

  test("says so when the server is silent, and connects anew when it stays silent", async () => {
    await goLive();
    for (let beat = 0; beat < 3; beat += 1) {
      await vi.advanceTimersByTimeAsync(10_000);
      socket().down({ type: "heartbeat", seq: 0 });
    }
    expect(view.connection.state).toBe("live");
    await vi.advanceTimersByTimeAsync(14_000);
    expect(view.connection.state).toBe("silent");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(FakeSocket.all.length).toBe(2);
    expect(FakeSocket.all[0]?.closed).toBe(true);
  });

  test("a silent connection that speaks again is live again", async () => {
    await goLive();
    await vi.advanceTimersByTimeAsync(14_000);
    socket().down({ type: "heartbeat", seq: 0 });
    expect(view.connection.state).toBe("live");
  });

  test("a higher generation replaces what was shown on the open socket", async () => {
    await goLive();
    socket().down(events(delta(1, "a"), delta(2, "x"), delta(3, "y")));
    socket().down(events(delta(2, "B", 2)));
    expect(text()).toBe("aB");
  });

  test("loads a new snapshot when more must be replaced than is remembered", async () => {
    snapshot = async () => foldAll([delta(1, "a"), delta(2, "b")]);
    await goLive();
    snapshot = async () => foldAll([delta(1, "A", 2)]);
    socket().down(events(delta(1, "A", 2)));
    await vi.advanceTimersByTimeAsync(0);
    expect(text()).toBe("A");
    expect(socket().url).toBe("/ws/?after=2.1");
  });

  test("loads a new snapshot when the platform's log is of an older generation", async () => {
    snapshot = async () => foldAll([delta(1, "a", 7)]);
    await goLive();
    await vi.advanceTimersByTimeAsync(0);
    snapshot = async () => foldAll([delta(1, "restored", 1)]);
    FakeSocket.storedGen = 1;
    socket().onclose?.({ code: 1006 });
    await vi.advanceTimersByTimeAsync(400);
    socket().greet();
    await vi.advanceTimersByTimeAsync(0);
    expect(text()).toBe("restored");
  });

  test.each([
    [4401, "signed_out"],
    [4403, "forbidden"],
    [4404, "gone"],
    [4409, "superseded"],
  ])("close code %i ends it as %s until it is started again", async (code, reason) => {
    await goLive();
    socket().onclose?.({ code });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(view.connection).toEqual({ state: "ended", reason });
    expect(FakeSocket.all.length).toBe(1);
    feed.start();
    expect(FakeSocket.all.length).toBe(2);
  });

  test("4429 waits at least 5 s and is not hurried", async () => {
    await goLive();
    socket().onclose?.({ code: 4429 });
    expect(view.connection).toEqual({ state: "disconnected", retryAt: Date.now() + 5000, slowDown: true });
    feed.nudge();
    expect(FakeSocket.all.length).toBe(1);
  });

  test("a snapshot that fails is tried again; one that is refused is not", async () => {
    snapshot = async () => {
      throw new TypeError("network");
    };
    await start();
    expect(view).toMatchObject({ loaded: false, connection: { state: "disconnected" } });
    snapshot = async () => {
      throw new SnapshotRefused("gone");
    };
    await vi.advanceTimersByTimeAsync(500);
    expect(view.connection).toEqual({ state: "ended", reason: "gone" });
  });

  test("frames of unknown types are skipped", async () => {
    await goLive();
    socket().down({ type: "weather", sun: true }, events(delta(1, "a")));
    expect(text()).toBe("a");
  });
});
