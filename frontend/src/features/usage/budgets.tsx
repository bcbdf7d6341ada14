// Budgets: how they stand, raised and removed here by whoever may.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/button";
import { FormError, Input } from "@/components/form";
import { Problem, Skeleton } from "@/components/states";
import { meQuery } from "@/lib/api/account";
import type { Budget } from "@/lib/api/types";
import { budgetsQuery, changeBudget, deleteBudget } from "@/lib/api/usage";
import { cn } from "@/lib/cn";
import { limitFrom, NOT_A_LIMIT, PERIODS, subjectOf, UNITS, usedOf } from "./measures";
import { NewBudgetForm } from "./new-budget";
import { useBudgetChanges } from "./use-budget-changes";

export function Budgets() {
  const budgets = useQuery(budgetsQuery);
  const { data: me } = useQuery(meQuery);
  return (
    <section aria-labelledby="budgets-title" className="mt-8" data-testid="budgets">
      <h2 id="budgets-title" className="text-lg font-semibold">
        Budgets
      </h2>
      <p className="mt-1 mb-3 text-sm text-muted">
        A call of a model that a budget does not allow is not made. Nothing is lost: prompts wait, and go on
        when the budget is raised or its next period begins.
      </p>
      {budgets.isPending && <Skeleton lines={2} />}
      {budgets.error && (
        <Problem
          what="The budgets could not be loaded"
          error={budgets.error}
          onRetry={() => budgets.refetch()}
        />
      )}
      {budgets.data && budgets.data.length > 0 && (
        <ul className="mb-4 divide-y divide-border rounded-lg border border-border bg-raised">
          {budgets.data.map((budget) => (
            <BudgetRow key={budget.id} budget={budget} subject={subjectOf(budget, me?.id)} />
          ))}
        </ul>
      )}
      <NewBudgetForm isAdmin={me?.is_staff ?? false} />
    </section>
  );
}

function BudgetRow({ budget, subject }: { budget: Budget; subject: string }) {
  const change = useBudgetChanges();
  const [draft, setDraft] = useState("");
  const [problem, setProblem] = useState("");
  const share = budget.limit > 0 ? Math.min(100, (budget.used / budget.limit) * 100) : 100;
  const raise = async () => {
    const limit = limitFrom(draft, budget.measure);
    setProblem(limit === null ? NOT_A_LIMIT : "");
    if (limit === null) return;
    const isMade = await change(() => changeBudget(budget.id, limit));
    // What was typed meanwhile stays.
    if (isMade) setDraft((now) => (now === draft ? "" : now));
  };
  return (
    <li className="px-3 py-2.5 text-sm" data-testid="budget-row" data-level={budget.level}>
      <p className="flex flex-wrap justify-between gap-x-3">
        <span className="font-medium">{subject}</span>
        <span className="tabular-nums">
          {usedOf(budget)} {PERIODS[budget.period]}
        </span>
      </p>
      <div
        role="progressbar"
        aria-label={`Used of the budget of ${subject}`}
        aria-valuenow={Math.round(share)}
        className="my-1.5 h-1.5 overflow-hidden rounded-full bg-hover"
      >
        <div
          style={{ width: `${share}%` }}
          className={cn(
            "h-full",
            budget.level === "hard" ? "bg-bad" : budget.level === "soft" ? "bg-attention" : "bg-accent",
          )}
        />
      </div>
      {budget.message && <p className="text-xs text-muted">{budget.message}</p>}
      {budget.can_change && (
        <form
          className="mt-1.5 flex flex-wrap items-center gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            void raise();
          }}
        >
          <Input
            aria-label={`New limit of ${subject} in ${UNITS[budget.measure].label}`}
            inputMode="decimal"
            aria-invalid={problem !== ""}
            className="w-32"
            placeholder={UNITS[budget.measure].label}
            value={draft}
            onChange={(event) => setDraft(event.target.value)}
          />
          <Button type="submit" size="small">
            Set limit
          </Button>
          <Button size="small" look="danger" onClick={() => change(() => deleteBudget(budget.id))}>
            Remove
          </Button>
          {problem && <FormError>{problem}</FormError>}
        </form>
      )}
    </li>
  );
}
