// The page of keys says what it could not get.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { Unreachable } from "@/lib/api/errors";
import { KeysPage } from "./keys-page";

const { providers } = vi.hoisted(() => ({ providers: vi.fn<() => Promise<object[]>>() }));
vi.mock("@/lib/api/keys", async (original) => ({
  ...(await original<object>()),
  keysQuery: { queryKey: ["keys"], queryFn: () => [] },
  providersQuery: { queryKey: ["providers"], queryFn: providers },
}));

test("without the providers it says why no key can be added, and asks again", async () => {
  providers.mockRejectedValueOnce(new Unreachable());
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <KeysPage />
    </QueryClientProvider>,
  );
  expect(await screen.findByText("The providers could not be loaded")).toBeTruthy();
  const add = await screen.findByText<HTMLButtonElement>("Add key");
  expect(add.disabled).toBe(true);
  providers.mockResolvedValue([{ id: "p", name: "P", needs_key: true, agents: [] }]);
  fireEvent.click(screen.getByText("Try again"));
  await waitFor(() => expect(add.disabled).toBe(false));
  expect(screen.queryByRole("alert")).toBeNull();
});
