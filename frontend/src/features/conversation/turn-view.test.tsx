// How a turn ended, in words that are true of every way to end so.
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Turn } from "@/protocol/conversation";
import { TranscriptProvider } from "./context";
import { TurnView } from "./turn-view";

const TURN: Turn = {
  id: "t",
  seq: 1,
  prompt: "do it",
  by: "Alice",
  model: "m",
  status: "ended",
  stop_reason: "interrupted",
  error: null,
  started_at: "2026-01-01T10:00:00Z",
  ended_at: "2026-01-01T10:00:02Z",
  usage: { input: 0, output: 0, cached: 0, reasoning: 0, calls: 0 },
  plan: [],
  items: [],
};

test("an interrupted turn does not say that the box was lost: it may have been put to sleep", () => {
  const context = {
    session: "s",
    renderPermission: () => null,
    onRunAgain: () => {},
    onRunInTerminal: () => {},
    renderOutput: () => null,
  };
  render(
    <TranscriptProvider value={context}>
      <TurnView turn={TURN} isLast />
    </TranscriptProvider>,
  );
  const end = screen.getByTestId("turn-end").textContent;
  expect(end).toContain("Interrupted: the box stopped");
  expect(end).not.toContain("lost");
});
