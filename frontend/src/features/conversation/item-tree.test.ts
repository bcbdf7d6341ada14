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
});

test("parents that are unknown or go in a circle are no parents", () => {
  expect(names(treeOf(items(text("orphan", "nobody"))).top)).toEqual(["orphan"]);
  const tree = treeOf(items(tool("a", "b"), tool("b", "a"), text("c", "a")));
  expect(names(tree.top)).toEqual(["a", "b", "c"]);
});
