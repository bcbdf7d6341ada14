// One key: its owner can do everything with it, whom it is shared with can only see what it is.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import type { ProviderKey } from "@/lib/api/types";
import { KeyRow } from "./key-row";

const { shareKey } = vi.hoisted(() => ({ shareKey: vi.fn(() => Promise.resolve({})) }));
vi.mock("@/lib/api/keys", async (original) => ({ ...(await original<object>()), shareKey }));

const ROW: ProviderKey = {
  id: "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
  provider: "openai",
  base_url: "",
  label: "company",
  hint: "Kq7w",
  status: "ok",
  created_at: "2026-11-22T10:00:00Z",
  last_used_at: null,
  is_shared_with_me: false,
  box_consent_at: null,
  sharing: { everyone: false, groups: ["team"] },
};

function show(row: ProviderKey, me: object) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 60_000 } } });
  client.setQueryData(["me"], me);
  client.setQueryData(
    ["groups"],
    [
      { id: 1, name: "second" },
      { id: 2, name: "team" },
    ],
  );
  render(
    <QueryClientProvider client={client}>
      <KeyRow row={row} providers={[]} onTask={() => undefined} />
    </QueryClientProvider>,
  );
}

test("a key that is shared with me is there to be used and for nothing else", () => {
  show({ ...ROW, is_shared_with_me: true, sharing: null }, { is_staff: true });
  expect(screen.getByText("shared by your administrator")).toBeTruthy();
  expect(screen.queryAllByRole("button")).toEqual([]);
});

test("only an administrator shares a key", () => {
  show(ROW, { is_staff: false });
  expect(screen.getByText("shared with team")).toBeTruthy();
  expect(screen.queryByText("Share")).toBeNull();
});

test("it is shared with everyone and with groups by name", async () => {
  show(ROW, { is_staff: true });
  fireEvent.click(screen.getByText("Share"));
  fireEvent.click(await screen.findByLabelText(/Everyone/));
  expect(screen.getByLabelText<HTMLInputElement>("team").checked).toBe(true);
  fireEvent.click(screen.getByLabelText("second"));
  fireEvent.click(screen.getByText("Save"));
  await waitFor(() =>
    expect(shareKey).toHaveBeenCalledWith(ROW.id, { everyone: true, groups: ["second", "team"] }),
  );
});
