// The state that a session's socket shows is typed by hand: held to the frame that the platform's tests read too.
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { SessionState } from "./types";

test("a session's state has the parts that the platform sends, and no others", () => {
  const parts: Record<keyof SessionState, true> = {
    version: true,
    session: true,
    prompts: true,
    permissions: true,
    terminals: true,
    budgets: true,
  };
  const file = path.resolve(import.meta.dirname, "../../../../tests/fixtures/protocol/session_frames.json");
  const { down } = JSON.parse(readFileSync(file, "utf8"));
  expect(Object.keys(down.state.state).sort()).toEqual(Object.keys(parts).sort());
});
