// The page of usage: what is downloaded is of the period that is shown, and a part that could not be loaded says so.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { UsagePage } from "./usage-page";

const { get } = vi.hoisted(() => ({ get: vi.fn(() => new Promise(() => {})) }));
vi.mock("@/lib/api/client", async (original) => ({ ...(await original<object>()), api: { GET: get } }));

test.each([7, 90, 365])(
  "the table for spreadsheets is of the last %i days when those are shown",
  async (days) => {
    render(
      <QueryClientProvider client={new QueryClient()}>
        <UsagePage />
      </QueryClientProvider>,
    );
    await userEvent.selectOptions(screen.getByDisplayValue("30 days"), String(days));
    const link = new URL(screen.getByRole<HTMLAnchorElement>("link", { name: "CSV" }).href);
    const from = Date.parse(link.searchParams.get("from") ?? "");
    expect(Math.round((Date.now() - from) / 86_400_000)).toBe(days);
    expect([link.searchParams.get("group"), link.searchParams.get("format")]).toEqual(["day", "csv"]);
  },
);

test("a part that could not be loaded says so", async () => {
  get.mockReturnValue(Promise.resolve({ error: {}, response: new Response("", { status: 500 }) }) as never);
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <UsagePage />
    </QueryClientProvider>,
  );
  for (const part of ["by model", "by key", "by session"])
    expect(await screen.findByText(`The usage ${part} could not be loaded`)).toBeTruthy();
});
