// What the provider broke off is no answer; what somebody stopped is as far as the answer got.
import { expect, test } from "vitest";
import type { LogEvent } from "@/protocol/events";
import { foldAll } from "@/protocol/fold";
import { failedTriesOf } from "./failed-tries";

let seq = 0;
function event(kind: string, data: object): LogEvent {
  seq += 1;
  return { v: 1, seq, gen: 1, turn: "t", ts: "2026-11-22T10:00:00Z", kind, data } as unknown as LogEvent;
}
const says = (id: string) => event("message.delta", { part_id: id, offset: 0, text: id });
const done = (id: string, broken: boolean) => event("message.done", { part_id: id, length: 1, broken });
const end = (stop_reason: string) => event("turn.ended", { stop_reason });

function tries(...events: LogEvent[]): string[] {
  const turn = foldAll(events).turns[0];
  return turn ? [...failedTriesOf(turn)].map((item) => ("part_id" in item ? item.part_id : "")) : [];
}

test("a try that broke off is none of the answer, while the next one comes and after it", () => {
  expect(tries(says("a"), done("a", true), says("b"))).toEqual(["a"]);
  expect(tries(says("a"), done("a", true), says("b"), done("b", false), end("end_turn"))).toEqual(["a"]);
});

test("a turn that failed in the midst of a message has no answer, one that was stopped has a part of it", () => {
  expect(tries(says("a"), end("error"))).toEqual(["a"]);
  expect(tries(says("a"), done("a", true), says("b"), end("cancelled"))).toEqual(["a"]);
  expect(tries(says("a"), done("a", true), end("interrupted"))).toEqual([]);
});
