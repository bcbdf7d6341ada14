// What the log says in passing: thinking time, the provider that makes wait, changes of the workspace.
import { expect, test } from "vitest";
import type { LogEvent } from "@/protocol/events";
import { NO_SIDE_NOTES, type SideNotes, withSideNote } from "./side-notes";

const at = (second: number) => new Date(Date.UTC(2026, 10, 22, 10, 0, second)).toISOString();
const event = (kind: string, data: object, second = 0, more: object = {}): LogEvent =>
  ({ v: 1, seq: 1, gen: 1, turn: "t", ts: at(second), kind, data, ...more }) as unknown as LogEvent;
const all = (...events: LogEvent[]): SideNotes => events.reduce(withSideNote, NO_SIDE_NOTES);

test("a thought takes from its first piece to its last", () => {
  const delta = (second: number) => event("thought.delta", { part_id: "p", offset: 0, text: "x" }, second);
  const notes = all(delta(1), delta(3), event("thought.done", { part_id: "p", length: 2 }, 5));
  const times = notes.thoughts.get("p");
  expect((times?.lastAt ?? 0) - (times?.firstAt ?? 0)).toBe(4000);
});

test("a folded row says nothing about time", () => {
  const folded = event("thought.delta", { part_id: "p", offset: 0, text: "x" }, 1, { seq_end: 9 });
  expect(all(folded).thoughts.size).toBe(0);
});

test("the provider makes wait until something comes", () => {
  const wait = event("agent.status", { status: "retrying", message: "busy", attempt: 2, retry_at: at(9) });
  expect(all(wait).retrying).toEqual({ message: "busy", attempt: 2, retryAt: at(9) });
  expect(all(wait, event("message.delta", { part_id: "p", offset: 0, text: "x" })).retrying).toBeNull();
  expect(all(wait, event("agent.status", { status: "busy" })).retrying).toBeNull();
});

test("the workspace may have changed when a tool has run, and not when one has read", () => {
  const done = (tool_kind: string) =>
    event("tool.upsert", { tool_call_id: tool_kind, tool_kind, status: "completed" });
  expect(all(done("read"), done("search")).workspaceChanges).toBe(0);
  expect(all(done("execute"), event("file.changed", { path: "a" })).workspaceChanges).toBe(2);
});
