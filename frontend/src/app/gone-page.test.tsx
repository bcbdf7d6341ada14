// A session that was restored elsewhere comes back by itself; an old list that still has it is not taken for that.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, render, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { sessionsQuery } from "@/lib/api/sessions";
import { GonePage } from "./gone-page";

const { reconnect } = vi.hoisted(() => ({ reconnect: vi.fn<(id: string) => void>() }));
vi.mock("@tanstack/react-router", () => ({ Link: () => null }));
vi.mock("@/lib/live/session-store", () => ({ reconnect }));

test("it connects again when a newer list has the session", async () => {
  const queries = new QueryClient({ defaultOptions: { queries: { enabled: false } } });
  const list = async (ids: string[], updatedAt: number) => {
    const results = ids.map((id) => ({ id }));
    await act(async () => {
      queries.setQueryData(
        sessionsQuery().queryKey,
        { pages: [{ results, next: null }], pageParams: [""] } as never,
        { updatedAt },
      );
    });
  };
  await list(["s", "other"], Date.now() - 1000);
  render(
    <QueryClientProvider client={queries}>
      <GonePage id="s" />
    </QueryClientProvider>,
  );
  expect(reconnect).not.toHaveBeenCalled();
  await list(["other"], Date.now() + 1000);
  expect(reconnect).not.toHaveBeenCalled();
  await list(["s", "other"], Date.now() + 2000);
  await waitFor(() => expect(reconnect.mock.calls).toEqual([["s"]]));
});
