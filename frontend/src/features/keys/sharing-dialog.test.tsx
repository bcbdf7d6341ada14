// That there are no groups is said when that is known, not while they are asked for or could not be.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import type { ProviderKey } from "@/lib/api/types";
import { SharingDialog } from "./sharing-dialog";

const { get } = vi.hoisted(() => ({ get: vi.fn() }));
vi.mock("@/lib/api/client", async (original) => ({ ...(await original<object>()), api: { GET: get } }));

function show(answer: Promise<unknown>, groups: string[] = []) {
  get.mockReturnValue(answer);
  const row = { id: "1", sharing: { everyone: false, groups } } as unknown as ProviderKey;
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <SharingDialog row={row} provider="OpenAI" open onClose={() => {}} />
    </QueryClientProvider>,
  );
}
const none = () => screen.queryByText(/There are none/);

test("while they are asked for", () => {
  show(new Promise(() => {}), ["team"]);
  expect(none()).toBeNull();
  expect(screen.getByLabelText<HTMLInputElement>("team").checked).toBe(true);
});

test("when they could not be loaded", async () => {
  show(Promise.resolve({ error: {}, response: new Response("", { status: 500 }) }));
  expect((await screen.findByRole("alert")).textContent).toContain("The groups could not be loaded");
  expect(none()).toBeNull();
});

test("when there are none", async () => {
  show(Promise.resolve({ data: { results: [] }, response: new Response("{}") }));
  expect(await screen.findByText(/There are none/)).toBeTruthy();
});
