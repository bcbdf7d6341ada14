// What budgets are of, in words, and how their numbers are entered and read.
import type { Budget } from "@/lib/api/types";
import { money } from "@/lib/money";

/** How many of what is counted people enter as one. */
export const UNITS: Record<Budget["measure"], { label: string; size: number }> = {
  money: { label: "US dollars", size: 1_000_000 },
  tokens: { label: "tokens", size: 1 },
  instance_seconds: { label: "hours of boxes", size: 3600 },
  live_sessions: { label: "live sessions", size: 1 },
};
export const PERIODS: Record<Budget["period"], string> = {
  day: "each day",
  month: "each month",
  total: "in all",
};

export const NOT_A_LIMIT = "Enter a number such as 1.5, not below 0.";

/** What was typed as the platform counts it; null if it is no limit. */
export function limitFrom(typed: string, measure: Budget["measure"]): number | null {
  const number = typed.trim() === "" ? Number.NaN : Number(typed);
  return Number.isFinite(number) && number >= 0 ? Math.round(number * UNITS[measure].size) : null;
}

/** What a budget is for, as whoever looks at it calls that. */
export function subjectOf(budget: Budget, myId: string | undefined): string {
  const name = budget.subject_name;
  switch (budget.subject_kind) {
    case "user":
      return budget.subject === myId ? "Your account" : `Account of ${name}`;
    case "group":
      return `Group ${name}`;
    case "key":
      return `Key ${name}`;
    case "session":
      return `Session “${name || "Untitled session"}”`;
  }
}

/** How much of it is used, such as `3 of 10 hours of boxes`. */
export function usedOf({ measure, used, limit }: Pick<Budget, "measure" | "used" | "limit">): string {
  if (measure === "money") return `${money(used)} of ${money(limit)}`;
  const { label, size } = UNITS[measure];
  const [part, whole] = [used, limit].map((number) =>
    (number / size).toLocaleString("en", { maximumFractionDigits: 1 }),
  );
  return `${part} of ${whole} ${label}`;
}
