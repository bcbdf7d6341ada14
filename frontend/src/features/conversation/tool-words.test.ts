// Tool calls in words: the exact command, paths from the workspace on, and no call left "running" for ever.
import { expect, test } from "vitest";
import type { ToolItem } from "@/protocol/conversation";
import { inputDetails, shownStatus, targetOf, verbOf } from "./tool-words";

const tool = (fields: Partial<ToolItem>): ToolItem => ({
  type: "tool",
  seq: 1,
  started_at: "2026-11-22T10:00:00.000Z",
  ended_at: null,
  tool_call_id: "c",
  name: "",
  title: "",
  tool_kind: "other",
  status: "completed",
  input: {},
  locations: [],
  diffs: [],
  error: "",
  duration_ms: null,
  parent_tool_call_id: "",
  output: "",
  output_omitted: 0,
  output_gap: false,
  ...fields,
});

test("a command is shown as it is run, not as the agent calls it", () => {
  const run = tool({
    tool_kind: "execute",
    title: "List files",
    input: { command: "rm -rf /", description: "List files" },
  });
  expect([verbOf(run), targetOf(run)]).toEqual(["run", "rm -rf /"]);
});

test.each([
  [tool({ tool_kind: "read", title: "/workspace/src/a.py" }), "read", "src/a.py"],
  [tool({ tool_kind: "edit", locations: [{ path: "b.py" }] }), "edit", "b.py"],
  [tool({ tool_kind: "search", input: { pattern: "TODO" } }), "search", "TODO"],
  [tool({ tool_kind: "fetch", input: { url: "https://a.example" } }), "fetch", "https://a.example"],
  [tool({ tool_kind: "other", name: "weather" }), "use", "weather"],
  [tool({ tool_kind: "think", name: "task", title: "Explore" }), "delegate", "Explore"],
])("%#", (item, verb, target) => {
  expect([verbOf(item), targetOf(item)]).toEqual([verb, target]);
});

test("an open call of an ended turn did not finish", () => {
  expect(shownStatus(tool({ status: "in_progress" }), true)).toBe("in_progress");
  expect(shownStatus(tool({ status: "in_progress" }), false)).toBe("interrupted");
  expect(shownStatus(tool({ status: "failed" }), false)).toBe("failed");
});

test("details show what the line does not", () => {
  expect(inputDetails(tool({ input: { filePath: "a", limit: 5 } }))).toBe('{\n  "limit": 5\n}');
  expect(inputDetails(tool({ input: { command: "ls" } }))).toBe("");
  expect(inputDetails(tool({ input: { command: "a\nb" } }))).toBe("a\nb");
});
