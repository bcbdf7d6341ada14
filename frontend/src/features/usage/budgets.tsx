// Budgets: how they stand, and one's own for oneself, set, raised and removed here.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/components/button";
import { Field, FormError, Input, Select } from "@/components/form";
import { Problem, Skeleton } from "@/components/states";
import { messageOf } from "@/lib/api/errors";
import type { Budget, NewBudget } from "@/lib/api/types";
import { budgetsQuery, changeBudget, createBudget, deleteBudget } from "@/lib/api/usage";
import { cn } from "@/lib/cn";
import { money } from "@/lib/money";

/** How many of what is counted people enter as one. */
const UNITS: Record<Budget["measure"], { label: string; size: number }> = {
  money: { label: "US dollars", size: 1_000_000 },
  tokens: { label: "tokens", size: 1 },
  instance_seconds: { label: "hours of boxes", size: 3600 },
  live_sessions: { label: "live sessions", size: 1 },
};
const PERIODS: Record<Budget["period"], string> = { day: "each day", month: "each month", total: "in all" };
const SUBJECTS: Record<Budget["subject_kind"], string> = {
  user: "Your account",
  group: "Your group",
  key: "A key",
  session: "A session",
};

export function amount(measure: Budget["measure"], number: number): string {
  if (measure === "money") return money(number);
  const { label, size } = UNITS[measure];
  return `${(number / size).toLocaleString("en", { maximumFractionDigits: 1 })} ${label}`;
}

export function Budgets({ sessions }: { sessions: Map<string, string> }) {
  const budgets = useQuery(budgetsQuery);
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
            <BudgetRow key={budget.id} budget={budget} name={sessions.get(budget.subject)} />
          ))}
        </ul>
      )}
      <NewBudgetForm sessions={sessions} />
    </section>
  );
}

function useChanges() {
  const queries = useQueryClient();
  return async (change: () => Promise<unknown>) => {
    try {
      await change();
      await queries.invalidateQueries({ queryKey: budgetsQuery.queryKey });
    } catch (error) {
      toast.error(messageOf(error));
    }
  };
}

function BudgetRow({ budget, name }: { budget: Budget; name: string | undefined }) {
  const change = useChanges();
  const [draft, setDraft] = useState("");
  const share = budget.limit > 0 ? Math.min(100, (budget.used / budget.limit) * 100) : 100;
  const subject = `${SUBJECTS[budget.subject_kind]}${name ? ` “${name}”` : ""}`;
  const raise = () => {
    const limit = Math.round(Number(draft) * UNITS[budget.measure].size);
    setDraft("");
    return change(() => changeBudget(budget.id, limit));
  };
  return (
    <li className="px-3 py-2.5 text-sm" data-testid="budget-row" data-level={budget.level}>
      <p className="flex flex-wrap justify-between gap-x-3">
        <span className="font-medium">{subject}</span>
        <span className="tabular-nums">
          {amount(budget.measure, budget.used)} of {amount(budget.measure, budget.limit)}{" "}
          {PERIODS[budget.period]}
        </span>
      </p>
      <progress
        aria-label={`Used of the budget of ${subject}`}
        max={100}
        value={share}
        className={cn(
          "my-1.5 block h-1.5 w-full",
          budget.level === "hard"
            ? "accent-bad"
            : budget.level === "soft"
              ? "accent-attention"
              : "accent-accent",
        )}
      />
      {budget.message && <p className="text-xs text-muted">{budget.message}</p>}
      {budget.can_change && (
        <form
          className="mt-1.5 flex flex-wrap items-center gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            if (Number(draft) >= 0 && draft !== "") void raise();
          }}
        >
          <Input
            aria-label={`New limit of ${subject} in ${UNITS[budget.measure].label}`}
            inputMode="decimal"
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
        </form>
      )}
    </li>
  );
}

function NewBudgetForm({ sessions }: { sessions: Map<string, string> }) {
  const change = useChanges();
  const [subject, setSubject] = useState("me");
  const [measure, setMeasure] = useState<NewBudget["measure"]>("money");
  const [period, setPeriod] = useState<Budget["period"]>("month");
  const [limit, setLimit] = useState("");
  const [problem, setProblem] = useState("");
  const submit = () => {
    const number = Number(limit);
    if (limit === "" || !(number >= 0)) {
      setProblem("Enter a number.");
      return;
    }
    setProblem("");
    setLimit("");
    void change(() =>
      createBudget({
        subject_kind: subject === "me" ? "user" : "session",
        subject,
        measure,
        period,
        limit: Math.round(number * UNITS[measure].size),
      }),
    );
  };
  return (
    <form
      aria-label="New budget"
      className="flex flex-wrap items-end gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Field label="For">
        {(ids) => (
          <Select {...ids} value={subject} onChange={(event) => setSubject(event.target.value)}>
            <option value="me">My account</option>
            {[...sessions].map(([id, title]) => (
              <option key={id} value={id}>
                {title || "Untitled session"}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Limit">
        {(ids) => (
          <Input
            {...ids}
            inputMode="decimal"
            className="w-28"
            value={limit}
            onChange={(event) => setLimit(event.target.value)}
          />
        )}
      </Field>
      <Field label="Of">
        {(ids) => (
          <Select
            {...ids}
            value={measure}
            onChange={(event) => setMeasure(event.target.value as NewBudget["measure"])}
          >
            {Object.entries(UNITS).map(([id, unit]) => (
              <option key={id} value={id}>
                {unit.label}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label="Period">
        {(ids) => (
          <Select
            {...ids}
            value={period}
            onChange={(event) => setPeriod(event.target.value as Budget["period"])}
          >
            {Object.entries(PERIODS).map(([id, words]) => (
              <option key={id} value={id}>
                {words}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Button type="submit" look="primary">
        Set budget
      </Button>
      {problem && <FormError>{problem}</FormError>}
    </form>
  );
}
