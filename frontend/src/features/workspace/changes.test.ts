// Only edits that were made are changes.
import { expect, test } from "vitest";
import type { LogEvent } from "@/protocol/events";
import { foldAll } from "@/protocol/fold";
import { changedFiles } from "./changes";

let seq = 0;
function upsert(id: string, status: string, path: string, additions = 1): LogEvent {
  seq += 1;
  const diffs = [{ path, patch: "+x", additions, deletions: 0 }];
  const data = { tool_call_id: id, status, diffs };
  return {
    v: 1,
    seq,
    gen: 1,
    turn: "t",
    ts: "2026-11-22T10:00:00Z",
    kind: "tool.upsert",
    data,
  } as unknown as LogEvent;
}

test("sums edits of one file and leaves out what failed, waits or was cut off", () => {
  const conversation = foldAll([
    upsert("1", "completed", "/workspace/b.py", 2),
    upsert("2", "completed", "a.py"),
    upsert("3", "failed", "failed.py"),
    upsert("4", "pending", "asked.py"),
    upsert("5", "interrupted", "cut.py"),
    upsert("6", "completed", "b.py", 3),
  ]);
  expect(
    changedFiles(conversation).map(({ path, additions, edits }) => [path, additions, edits.length]),
  ).toEqual([
    ["a.py", 1, 1],
    ["b.py", 5, 2],
  ]);
});
