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

test("what disks take is told now, over time and by whose it is", async () => {
  const totals = {
    ...{ input: 0, output: 0, cached: 0, written: 0, reasoning: 0, calls: 0 },
    ...{ cost_micros: 0, unpriced_calls: 0, estimated_calls: 0 },
  };
  const answerTo = (group: string) => ({
    from: "2026-03-01T00:00:00Z",
    to: "2026-03-02T00:00:00Z",
    group,
    totals,
    results: group === "session" ? [{ ...totals, session: "s", title: "Mine", storage_byte_days: 3e9 }] : [],
    unpriced: [],
    burn: { last_hour_micros: 0, last_day_micros: 0 },
    instance_seconds: 0,
    storage_bytes: 412_000_000,
    storage_byte_days: 36e9,
  });
  get.mockImplementation(((path: string, asked?: { params: { query: { group: string } } }) => {
    const group = asked?.params.query.group;
    const data = path === "/api/v1/usage/" && group ? answerTo(group) : { results: [] };
    return Promise.resolve({ data, response: new Response("", { status: 200 }) });
  }) as never);
  render(
    <QueryClientProvider client={new QueryClient()}>
      <UsagePage />
    </QueryClientProvider>,
  );
  expect((await screen.findByText("Storage now")).nextElementSibling?.textContent).toBe("412 MB");
  expect(screen.getByText("Stored in all").nextElementSibling?.textContent).toBe("36 GB-days");
  const row = (await screen.findByRole("cell", { name: "Mine" })).closest("tr");
  expect(row?.lastElementChild?.textContent).toBe("3.0 GB-days");
});

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
