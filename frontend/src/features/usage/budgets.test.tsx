// A budget's limit is changed in its row: what is no number is said there, and what was refused can be sent again.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { toast } from "sonner";
import { expect, test, vi } from "vitest";
import { Budgets } from "./budgets";

const { changeBudget } = vi.hoisted(() => ({ changeBudget: vi.fn(() => Promise.resolve({})) }));
vi.mock("@/lib/api/usage", async (original) => ({ ...(await original<object>()), changeBudget }));

const BUDGET = {
  ...{ id: "b1", subject_kind: "user", subject: "u1", subject_name: "A", measure: "money", period: "month" },
  ...{ limit: 1_000_000, used: 0, level: "", message: "", can_change: true },
};

function show() {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 60_000 } } });
  client.setQueryData(["budgets"], [BUDGET]);
  client.setQueryData(["me"], { id: "u1", is_staff: false });
  render(
    <QueryClientProvider client={client}>
      <Budgets />
    </QueryClientProvider>,
  );
  const row = within(screen.getByTestId("budget-row"));
  const field = row.getByRole<HTMLInputElement>("textbox");
  const set = (value: string) => {
    fireEvent.change(field, { target: { value } });
    fireEvent.click(row.getByRole("button", { name: "Set limit" }));
  };
  return { row, field, set };
}

test.each(["1,5", "-1", ""])("%j is no limit", (typed) => {
  const { row, field, set } = show();
  set(typed);
  expect(row.getByRole("alert").textContent).toContain("not below 0");
  expect(field.value).toBe(typed);
  expect(changeBudget).not.toHaveBeenCalled();
});

test("what was typed goes when the limit is changed, and stays when that is refused", async () => {
  const { field, set } = show();
  const told = vi.spyOn(toast, "error");
  changeBudget.mockRejectedValueOnce(new Error("refused"));
  set("2");
  await waitFor(() => expect(told).toHaveBeenCalledOnce());
  expect(field.value).toBe("2");
  set("3");
  await waitFor(() => expect(field.value).toBe(""));
  expect(changeBudget).toHaveBeenLastCalledWith("b1", 3_000_000);
});
