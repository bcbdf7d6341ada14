// Repeats, gaps, folded rows, and a newer generation that replaces what was shown but never stored.
import { describe, expect, test } from "vitest";
import type { LogEvent } from "./events";
import { foldAll } from "./fold";
import { SessionLog } from "./session-log";

const TURN = "6f1c2a34-0d5e-4b7f-9a10-1c2d3e4f5a01";
const base = { v: 1, turn: TURN, ts: "2026-11-22T10:00:00.000Z" } as const;

const started = (seq: number, gen = 1): LogEvent => ({
  ...base,
  seq,
  gen,
  kind: "turn.started",
  data: { prompt: "p" },
});
const delta = (seq: number, offset: number, text: string, gen = 1, seq_end?: number): LogEvent => ({
  ...base,
  seq,
  gen,
  ...(seq_end && { seq_end }),
  kind: "message.delta",
  data: { part_id: "p1", offset, text },
});
const usage = (seq: number, gen = 1): LogEvent => ({
  ...base,
  seq,
  gen,
  kind: "usage",
  data: { request_id: "r", provider: "p", model: "m", input: 1, output: 1 },
});

function text(log: SessionLog): string {
  const item = log.conversation.turns[0]?.items[0];
  return item?.type === "message" ? item.text : "";
}

function take(log: SessionLog, events: LogEvent[], live = true): void {
  for (const event of events) expect(log.accept(event, live)).toBe("ok");
}

describe("SessionLog", () => {
  test("drops repeats, so that counts stay right", () => {
    const log = new SessionLog();
    take(log, [started(1), usage(2), usage(2), started(1), delta(3, 0, "a"), usage(2)]);
    expect(log.conversation.turns[0]?.usage.calls).toBe(1);
    expect(log.cursor).toEqual({ gen: 1, seq: 3 });
  });

  test("sees a gap while live, changes nothing, and resumes from the cursor", () => {
    const log = new SessionLog();
    take(log, [started(1), delta(2, 0, "a")]);
    expect(log.accept(delta(4, 2, "c"), true)).toBe("gap");
    expect(log.cursor.seq).toBe(2);
    take(log, [delta(3, 1, "b"), delta(4, 2, "c")]);
    expect(text(log)).toBe("abc");
  });

  test("takes holes in stored pages", () => {
    const log = new SessionLog();
    take(log, [started(1), delta(9, 0, "a")], false);
    take(log, [delta(10, 1, "b")], true);
    expect(text(log)).toBe("ab");
  });

  test("rows within a folded row's span are not repeats, and the span is no gap", () => {
    const log = new SessionLog();
    take(log, [started(1), delta(2, 0, "whole text", 1, 8), usage(4), usage(6)], false);
    expect(log.conversation.turns[0]?.usage.calls).toBe(2);
    expect(log.cursor.seq).toBe(6);
    take(log, [usage(9)], true);
    expect(log.cursor.seq).toBe(9);
  });

  test("a folded row that begins before the cursor completes the text", () => {
    const log = new SessionLog();
    take(log, [started(1), delta(2, 0, "who"), delta(3, 3, "le")]);
    take(log, [delta(2, 0, "whole text", 1, 8)], false);
    expect(text(log)).toBe("whole text");
    expect(log.covered).toBe(8);
  });

  test("the first event of a higher generation replaces everything at or after its number", () => {
    const log = new SessionLog();
    take(log, [started(1), delta(2, 0, "stored "), usage(3), delta(4, 7, "never stored"), usage(5)]);
    take(log, [delta(4, 7, "salvaged", 2), usage(5, 2)]);
    expect(text(log)).toBe("stored salvaged");
    expect(log.conversation.turns[0]?.usage.calls).toBe(2);
    expect(log.cursor).toEqual({ gen: 2, seq: 5 });
  });

  test("events of an older generation are ignored", () => {
    const log = new SessionLog();
    take(log, [started(1), delta(2, 0, "a", 2), delta(3, 1, "old", 1)]);
    expect(text(log)).toBe("a");
  });

  test("taking back gives the same as never having seen it, however long the log is", () => {
    for (const [length, from] of [
      [200, 64],
      [200, 65],
      [200, 66],
      [3000, 2500],
      [3000, 2999],
    ] as const) {
      const events = [started(1)];
      for (let seq = 2; seq <= length; seq += 1) events.push(delta(seq, seq - 2, String(seq % 10)));
      const log = new SessionLog();
      take(log, events);
      const newer = delta(from, from - 2, "X", 2);
      take(log, [newer]);
      expect(log.conversation).toEqual(foldAll([...events.slice(0, from - 1), newer]));
    }
  });

  test("asks for a new snapshot when that is too long ago to take back", () => {
    const log = new SessionLog();
    log.reset(foldAll([started(1), delta(2, 0, "snapshot")]));
    expect(log.accept(delta(2, 0, "other", 2), true)).toBe("resync");
    expect(text(log)).toBe("snapshot");

    const long = new SessionLog();
    take(long, [started(1)]);
    for (let seq = 2; seq <= 5000; seq += 1) take(long, [delta(seq, seq - 2, "x")]);
    expect(long.accept(delta(10, 8, "y", 2), true)).toBe("resync");
  });
});
