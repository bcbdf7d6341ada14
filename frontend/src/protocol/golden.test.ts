// The golden files of the protocol, which the platform's tests read too (tests/fixtures/protocol).
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { EMPTY } from "./conversation";
import type { EventKind, LogEvent } from "./events";
import { FakeSocket } from "./fake-socket";
import { fold, foldAll } from "./fold";
import { type FeedView, SessionFeed } from "./session-feed";
import { type DownFrame, readFrame, type VersionedState } from "./session-frames";
import { SessionLog } from "./session-log";

const folder = path.resolve(import.meta.dirname, "../../../tests/fixtures/protocol");
const read = (name: string) => JSON.parse(readFileSync(path.join(folder, name), "utf8"));
const events: LogEvent[] = read("events.json").valid;
const frames: {
  up: { ack: object };
  down: { [T in DownFrame<VersionedState>["type"]]: DownFrame<VersionedState> & { type: T } };
  unknown: string[];
  malformed: string[];
} = read("session_frames.json");

/** Whether the transcript shows it; as a record, so that the compiler finds a kind that is missing or too much. */
const SHOWN: Record<EventKind, boolean> = {
  "instance.started": true,
  "instance.stopped": true,
  "instance.lost": true,
  "turn.started": true,
  "turn.ended": true,
  "message.delta": true,
  "message.done": true,
  "thought.delta": true,
  "thought.done": true,
  "tool.upsert": true,
  "tool.output": true,
  plan: true,
  "permission.asked": true,
  "permission.answered": true,
  usage: true,
  "file.changed": false,
  "terminal.opened": false,
  "terminal.closed": false,
  "agent.status": false,
  "agent.config": true,
  "egress.used": false,
  "egress.blocked": false,
  "events.suppressed": true,
  error: true,
};

describe("events", () => {
  test("the types know the kinds that there are, and no others", () => {
    expect(Object.keys(SHOWN).sort()).toEqual([...new Set(events.map((event) => event.kind))].sort());
  });

  test.each(events)("$kind $seq is taken, and shown if its kind is", (event) => {
    // Whatever it may end or answer is there already.
    const before = foldAll(events.filter((other) => other.seq < event.seq));
    const log = new SessionLog();
    log.reset({ ...before, last_seq: event.seq - 1 });
    expect(log.accept(event, true)).toBe("ok");
    const { last_seq, gen, ...shown } = fold(before, event);
    expect([last_seq, gen]).toEqual([event.seq, event.gen]);
    const { last_seq: _, gen: __, ...was } = before;
    // What is asked outside of a turn is a card of the page only.
    const isCard = event.kind === "permission.asked" && event.turn === null;
    if (SHOWN[event.kind] && !isCard) expect(shown).not.toEqual(was);
    else expect(shown).toEqual(was);
  });
});

describe("frames of a session's socket", () => {
  afterEach(() => void vi.useRealTimers());

  test("the types know the frames that there are, and no others", () => {
    const known: Record<DownFrame<VersionedState>["type"], true> = {
      hello: true,
      events: true,
      live: true,
      state: true,
      heartbeat: true,
    };
    expect(Object.keys(known).sort()).toEqual(Object.keys(frames.down).sort());
    for (const frame of Object.values(frames.down)) expect(readFrame(JSON.stringify(frame))).toEqual(frame);
  });

  test.each(frames.unknown)("one of a later version is left alone: %s", (raw) => {
    expect(readFrame(raw)).toBeNull();
  });

  test.each(frames.malformed)("what is none is refused: %s", (raw) => {
    expect(() => readFrame(raw)).toThrow();
  });

  test("the feed shows what they say and acknowledges it", async () => {
    vi.useFakeTimers();
    FakeSocket.all = [];
    let view: FeedView<VersionedState> | undefined;
    const feed = new SessionFeed<VersionedState>({
      loadSnapshot: async () => EMPTY,
      url: (after) => `/ws/?after=${after}`,
      onChange: (next) => {
        view = next;
      },
      open: (url) => new FakeSocket(url),
      now: () => Date.now(),
    });
    feed.start();
    await vi.advanceTimersByTimeAsync(0);
    const socket = FakeSocket.all[0] as FakeSocket;
    socket.onopen?.();
    const { hello, events: page, live, state, heartbeat } = frames.down;
    socket.down(hello, page);
    expect(view).toMatchObject({ connection: { state: "catching_up" }, state: hello.state });
    socket.down(live, state, heartbeat);
    await vi.advanceTimersByTimeAsync(1000);
    expect(view).toMatchObject({ connection: { state: "live" }, state: state.state });
    expect(view?.conversation).toEqual(foldAll(page.events));
    expect(socket.sent).toEqual([frames.up.ack]);
    feed.close();
  });
});
