// Sub-agents' items below their call, permissions beside theirs, and no endless loops.
import { expect, test } from "vitest";
import type { Item } from "@/protocol/conversation";
import type { LogEvent } from "@/protocol/events";
import { foldAll } from "@/protocol/fold";
import { hasPending, treeOf } from "./item-tree";

let seq = 0;
function event(kind: string, data: object): LogEvent {
  seq += 1;
  return { v: 1, seq, gen: 1, turn: "t", ts: "2026-11-22T10:00:00Z", kind, data } as unknown as LogEvent;
}
const tool = (id: string, parent = "") =>
  event("tool.upsert", { tool_call_id: id, parent_tool_call_id: parent });
const text = (id: string, parent = "") =>
  event("message.delta", { part_id: id, offset: 0, text: id, parent_tool_call_id: parent });
const ask = (id: string, toolId: string) =>
  event("permission.asked", { permission_id: id, type: "tool", title: id, tool_call_id: toolId });

const items = (...events: LogEvent[]): Item[] => foldAll(events).turns[0]?.items ?? [];
const names = (list: Item[] | undefined) =>
  (list ?? []).map((item) =>
    item.type === "tool"
      ? item.tool_call_id
      : item.type === "permission"
        ? item.permission_id
        : "part_id" in item
          ? item.part_id
          : "",
  );

test("items stand below the call that they name, however deep", () => {
  const tree = treeOf(
    items(tool("task"), text("inner", "task"), tool("deep", "task"), text("deepest", "deep"), text("top")),
  );
  expect(names(tree.top)).toEqual(["task", "top"]);
  expect(names(tree.below.get("task"))).toEqual(["inner", "deep"]);
  expect(names(tree.below.get("deep"))).toEqual(["deepest"]);
});

test("a permission stands beside its call, also inside of a sub-agent, which then may not be hidden", () => {
  const tree = treeOf(items(tool("task"), tool("run", "task"), ask("p", "run"), tool("other")));
  expect(names(tree.below.get("task"))).toEqual(["run", "p"]);
  expect(hasPending("task", tree.below)).toBe(true);
  expect(hasPending("other", tree.below)).toBe(false);
  expect([...tree.waiting]).toEqual(["run"]);
});

test("parents that are unknown or go in a circle are no parents", () => {
  expect(names(treeOf(items(text("orphan", "nobody"))).top)).toEqual(["orphan"]);
  const tree = treeOf(items(tool("a", "b"), tool("b", "a"), text("c", "a")));
  expect(names(tree.top)).toEqual(["a", "b", "c"]);
});

const answer = (id: string, choice: string) =>
  event("permission.answered", { permission_id: id, choice, by: "user" });
const fail = (id: string) => event("tool.upsert", { tool_call_id: id, status: "failed", error: "rejected" });
const plan = (id: string, status = "completed") =>
  event("tool.upsert", { tool_call_id: id, name: "todowrite", status });

test("a call that was rejected stands in the outcome of its question only, one that was allowed in both", () => {
  const tree = treeOf(
    items(tool("run"), ask("p", "run"), answer("p", "reject"), fail("run"), tool("next"), ask("q", "next")),
  );
  expect(names(tree.top)).toEqual(["p", "next", "q"]);
});

test("a call that went on although somebody rejected a part of it is shown", () => {
  const output = event("tool.output", { tool_call_id: "run", offset: 0, text: "half" });
  const tree = treeOf(items(tool("run"), output, ask("p", "run"), answer("p", "reject"), fail("run")));
  expect(names(tree.top)).toEqual(["run", "p"]);
});

test("of updates of the plan that follow each other one is enough, and one that failed is a call like others", () => {
  const tree = treeOf(items(plan("a"), plan("b"), text("t"), plan("c"), plan("d", "failed")));
  expect(names(tree.top)).toEqual(["b", "t", "c", "d"]);
});

test("a permission is beside its call when that is shown and was asked about once", () => {
  const ask2 = [tool("two"), ask("b", "two"), ask("c", "two")];
  const gone = [tool("gone"), ask("d", "gone"), answer("d", "reject"), fail("gone")];
  const tree = treeOf(items(tool("one"), ask("a", "one"), ...ask2, ...gone, ask("e", "nobody")));
  expect([...tree.besideCall]).toEqual(["a"]);
});
