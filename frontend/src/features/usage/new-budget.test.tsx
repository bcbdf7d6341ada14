// A new budget: what it may be for depends on who sets it, and what it is for is what is sent.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { toast } from "sonner";
import { expect, test, vi } from "vitest";
import type { Budget } from "@/lib/api/types";
import { subjectOf, usedOf } from "./measures";
import { NewBudgetForm } from "./new-budget";

const { createBudget } = vi.hoisted(() => ({ createBudget: vi.fn(() => Promise.resolve({})) }));
vi.mock("@/lib/api/usage", async (original) => ({ ...(await original<object>()), createBudget }));

function show(isAdmin: boolean) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 60_000 } } });
  const mine = { id: "k1", provider: "openai", label: "work", hint: "a1b2", is_shared_with_me: false };
  client.setQueryData(["keys"], [mine, { ...mine, id: "k2", label: "company", is_shared_with_me: true }]);
  client.setQueryData(["groups"], [{ id: 7, name: "team" }]);
  client.setQueryData(["usage", 30, "session", "me"], { results: [{ session: "s1", title: "Old one" }] });
  client.setQueryData(["me"], { id: "u1" });
  const used = [
    { user: "u1", email: "me@example.com" },
    { user: "u2", email: "bob@example.com" },
  ];
  if (isAdmin) client.setQueryData(["usage", 30, "user", "everybody"], { results: used });
  render(
    <QueryClientProvider client={client}>
      <NewBudgetForm isAdmin={isAdmin} />
    </QueryClientProvider>,
  );
}

const names = () =>
  [...screen.getByLabelText<HTMLSelectElement>("For").options].map((option) => option.textContent);

test("one's own keys and sessions are there, and groups and other people for administrators", () => {
  show(true);
  expect(names()).toEqual(["My account", "team", "bob@example.com", "openai work", "Old one"]);
});

test.each([
  ["My account", "user", "me"],
  ["team", "group", "7"],
  ["bob@example.com", "user", "u2"],
  ["openai work", "key", "k1"],
  ["Old one", "session", "s1"],
])("a budget for %s is for that", async (name, kind, subject) => {
  show(true);
  await userEvent.selectOptions(screen.getByLabelText("For"), name);
  await userEvent.type(screen.getByLabelText("Limit"), "2.5");
  await userEvent.click(screen.getByRole("button", { name: "Set budget" }));
  await waitFor(() =>
    expect(createBudget).toHaveBeenLastCalledWith({
      ...{ subject_kind: kind, subject, measure: "money", period: "month", limit: 2_500_000 },
    }),
  );
});

test.each(["", "1,5", "-1", "Infinity", "a lot"])("%j is no limit: it is said, and kept", async (typed) => {
  show(false);
  createBudget.mockClear();
  const limit = screen.getByLabelText<HTMLInputElement>("Limit");
  fireEvent.change(limit, { target: { value: typed } });
  await userEvent.click(screen.getByRole("button", { name: "Set budget" }));
  expect(screen.getByRole("alert").textContent).toContain("not below 0");
  expect(limit.value).toBe(typed);
  expect(createBudget).not.toHaveBeenCalled();
});

test("what was typed goes when the budget is made, and stays when it is refused", async () => {
  show(false);
  const limit = screen.getByLabelText<HTMLInputElement>("Limit");
  const told = vi.spyOn(toast, "error");
  createBudget.mockRejectedValueOnce(new Error("refused"));
  fireEvent.change(limit, { target: { value: "2.5" } });
  await userEvent.click(screen.getByRole("button", { name: "Set budget" }));
  await waitFor(() => expect(told).toHaveBeenCalledOnce());
  expect(limit.value).toBe("2.5");
  await userEvent.click(screen.getByRole("button", { name: "Set budget" }));
  await waitFor(() => expect(limit.value).toBe(""));
});

test("only one's own account is called one's own", () => {
  const budget = { subject_kind: "user", subject: "u1", subject_name: "Bob" } as Budget;
  expect([subjectOf(budget, "u1"), subjectOf(budget, "u2")]).toEqual(["Your account", "Account of Bob"]);
});

test.each([
  ["money", 1_500_000, 20_000_000, "$1.50 of $20.00"],
  ["instance_seconds", 5400, 36_000, "1.5 of 10 hours of boxes"],
  ["tokens", 6_202_093, 1_000_000, "6,202,093 of 1,000,000 tokens"],
] as const)("how much is used of %s", (measure, used, limit, words) => {
  expect(usedOf({ measure, used, limit })).toBe(words);
});
