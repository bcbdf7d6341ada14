// The inbox shows all that waits, page after page, and says when it may be out of date.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { waitingIn } from "@/lib/api/permissions";
import { Inbox } from "./inbox";

type Answer = Promise<{ data: object; response: Response }>;
const { get } = vi.hoisted(() => ({
  get: vi.fn<(path: string, asked: { params: { query: { cursor?: string } } }) => Answer>(),
}));
vi.mock("@tanstack/react-router", () => ({ Link: "a" }));
vi.mock("@/lib/api/client", async (original) => ({ ...(await original<object>()), api: { GET: get } }));

const page = (command: string, next: string | null) => {
  const waits = { type: "tool", command, questions: [], state: "pending", asked_at: "2026-01-01T10:00:00Z" };
  const results = [
    { ...waits, id: command, session: "s", session_title: `for ${command}`, answered_by: null },
  ];
  return Promise.resolve({ data: { next, previous: null, results }, response: Response.json({}) });
};

beforeEach(() => {
  get
    .mockReset()
    .mockImplementation((_, { params }) =>
      params.query.cursor === "older" ? page("make old", null) : page("make new", "http://x/?cursor=older"),
    );
});

test("older ones are counted with a plus until they are shown, and all stay when the server is away", async () => {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const waiting = () => waitingIn(queries.getQueryData(["permissions", "pending"]));
  render(
    <QueryClientProvider client={queries}>
      <Inbox me="Alice" />
    </QueryClientProvider>,
  );
  expect(waiting()).toBe("");
  await screen.findByText("for make new");
  expect(waiting()).toBe("1+");
  fireEvent.click(screen.getByText("Show more"));
  await screen.findByText("for make old");
  expect(waiting()).toBe("2");
  expect(screen.queryByText("Show more")).toBeNull();
  expect(screen.queryByTestId("inbox-outdated")).toBeNull();
  get.mockImplementation(() => Promise.reject(new Error("away")));
  await act(() => queries.refetchQueries());
  await screen.findByTestId("inbox-outdated");
  expect(screen.getByText("for make old")).toBeTruthy();
});
