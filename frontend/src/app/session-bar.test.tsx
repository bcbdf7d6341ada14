// The title of a session, written with an input method.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import type { LiveSession } from "@/lib/live/session-store";
import { EMPTY } from "@/protocol/conversation";
import { SessionBar } from "./session-bar";

const { changeSession, live } = vi.hoisted(() => ({
  changeSession: vi.fn<(id: string, body: object) => Promise<object>>(),
  live: { current: {} },
}));
vi.mock("@tanstack/react-router", () => ({
  useNavigate: () => () => {},
  useParams: () => ({}),
  useSearch: () => ({}),
}));
vi.mock("@/lib/api/sessions", async (original) => ({ ...(await original<object>()), changeSession }));
vi.mock("@/lib/live/session-store", () => ({
  useLiveSession: (_: string, select: (live: LiveSession) => unknown) => select(live.current as LiveSession),
  useIsOutdated: () => false,
}));

beforeEach(() => {
  changeSession.mockReset().mockResolvedValue({});
  const usage = {
    input: 0,
    output: 0,
    cached: 0,
    reasoning: 0,
    written: 0,
    calls: 0,
    cost_micros: 0,
    unpriced_calls: 0,
    estimated_calls: 0,
  };
  const session = { id: "s", title: "old", status: "idle", turn: null, usage };
  live.current = { state: { session }, conversation: EMPTY };
});

test("an Enter that ends a composition does not save the title, the next one does", () => {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <SessionBar id="s" />
    </QueryClientProvider>,
  );
  fireEvent.click(screen.getByTestId("session-title"));
  const input = screen.getByTestId("title-input");
  fireEvent.change(input, { target: { value: "日本" } });
  fireEvent.keyDown(input, { key: "Enter", isComposing: true });
  expect(changeSession).not.toHaveBeenCalled();
  fireEvent.keyDown(input, { key: "Enter" });
  expect(changeSession).toHaveBeenCalledWith("s", { title: "日本" });
});

test("the bar says what the disk takes once that is known", () => {
  const shown = live.current as { state: { session: object } };
  const disk = { bytes: 412_000_000, limit: 5_000_000_000, measured_at: "2026-03-01T10:00:00Z" };
  const { rerender } = render(
    <QueryClientProvider client={new QueryClient()}>
      <SessionBar id="s" />
    </QueryClientProvider>,
  );
  expect(screen.queryByTestId("session-disk")).toBeNull();
  shown.state.session = { ...shown.state.session, disk };
  rerender(
    <QueryClientProvider client={new QueryClient()}>
      <SessionBar id="s" />
    </QueryClientProvider>,
  );
  expect(screen.getByTestId("session-disk").textContent).toBe("disk 412 MB of 5.0 GB");
});

test("the bar names the repository and its branch", () => {
  const repository = { url: "https://github.com/team/app", branch: "next" };
  const shown = live.current as { state: { session: object } };
  shown.state.session = { ...shown.state.session, repository };
  render(
    <QueryClientProvider client={new QueryClient()}>
      <SessionBar id="s" />
    </QueryClientProvider>,
  );
  expect(screen.getByTestId("session-repository").textContent).toBe("team/app (next)");
});
