// What was used and what it cost, and the budgets that bound it.
import { queryOptions } from "@tanstack/react-query";
import { answerOf, api } from "./client";
import type { Budget, NewBudget, UsageSummary } from "./types";

export type UsageGroup = UsageSummary["group"];
/** Whose use: only administrators see everybody's. */
export type UsageOf = "me" | "everybody";

/** The last `days` days, summed by `group`. */
export function usageQuery(days: number, group: UsageGroup, of: UsageOf) {
  return queryOptions({
    queryKey: ["usage", days, group, of],
    queryFn: () => {
      const from = startOf(days);
      // The description knows the table for spreadsheets too, which is asked for elsewhere.
      return answerOf(
        api.GET("/api/v1/usage/", { params: { query: { from, group, of } } }),
      ) as Promise<UsageSummary>;
    },
    refetchInterval: 60_000,
  });
}

/** Where a table for spreadsheets of the last `days` days is, one line for each of them. */
export function usageTable(days: number, of: UsageOf): string {
  return `/api/v1/usage/?${new URLSearchParams({ from: startOf(days), group: "day", of, format: "csv" })}`;
}

function startOf(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString();
}

export const budgetsQuery = queryOptions({
  queryKey: ["budgets"],
  queryFn: async () => (await answerOf(api.GET("/api/v1/budgets/"))).results,
});

export function createBudget(body: NewBudget): Promise<Budget> {
  return answerOf(api.POST("/api/v1/budgets/", { body }));
}

export function changeBudget(id: string, limit: number): Promise<Budget> {
  return answerOf(api.PATCH("/api/v1/budgets/{id}/", { params: { path: { id } }, body: { limit } }));
}

export function deleteBudget(id: string): Promise<undefined> {
  return answerOf(api.DELETE("/api/v1/budgets/{id}/", { params: { path: { id } } }));
}
