// Who needs somebody comes first.
import { expect, test } from "vitest";
import type { Session, SessionStatus } from "@/lib/api/types";
import { groupSessions } from "./grouping";

const NOW = Date.parse("2026-11-22T15:00:00Z");
const session = (id: string, status: SessionStatus, updated_at: string) =>
  ({ id, status, updated_at }) as Session;

test("groups by need, then by day, and keeps the order within", () => {
  const today = "2026-11-22T12:00:00Z";
  const groups = groupSessions(
    [
      session("ready", "ready", today),
      session("asks", "needs_you", "2026-11-01T12:00:00Z"),
      session("runs", "running", today),
      session("old", "asleep", "2026-11-20T12:00:00Z"),
      session("starts", "starting", today),
      session("failed", "failed", today),
    ],
    NOW,
  );
  expect(groups.map(({ name, sessions }) => [name, sessions.map(({ id }) => id)])).toEqual([
    ["Needs you", ["asks"]],
    ["Running", ["runs", "starts"]],
    ["Today", ["ready", "failed"]],
    ["Earlier", ["old"]],
  ]);
});
