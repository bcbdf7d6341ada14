// How the page stands with the platform: each state in words, and never "Live" when it is not.
import { render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import type { LiveSession } from "@/lib/live/session-store";
import { ConnectionLine } from "./connection-line";

const { live } = vi.hoisted(() => ({ live: { current: {} } }));
vi.mock("@/lib/live/session-store", () => ({
  useLiveSession: (_: string, select: (live: LiveSession) => unknown) => select(live.current as LiveSession),
  reconnect: () => {},
}));

test.each([
  [{ state: "loading" }, "ready", "loading", "Loading"],
  [{ state: "catching_up" }, "ready", "catching_up", "Catching up"],
  [{ state: "live" }, "ready", "live", "Live"],
  [{ state: "live" }, "asleep", "asleep", "Asleep. Send a prompt to wake it."],
  [{ state: "live" }, "ready", "live", "Live. The agent rests.", "The agent rests."],
  [{ state: "silent" }, "ready", "silent", "The server is silent; this may be out of date"],
  [{ state: "disconnected", retryAt: 0, slowDown: false }, "ready", "disconnected", "Disconnected, next try"],
  [{ state: "ended", reason: "gone" }, "ready", "ended", "This session was deleted"],
])("%j of a session that is %s reads %s: %s", (connection, status, state, words, detail = "") => {
  live.current = { connection, state: { session: { status, status_detail: detail } } };
  render(<ConnectionLine session="s" />);
  const line = screen.getByTestId("connection");
  expect(line.dataset.state).toBe(state);
  expect(line.textContent).toContain(words);
});
