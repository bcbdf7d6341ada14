// The page of usage: what is downloaded is of the period that is shown.
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
