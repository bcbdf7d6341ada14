// Every day of a span, also those on which nothing was spent: a chart without them would lie about time.
import type { UsageSummary } from "@/lib/api/types";

export interface Day {
  day: string;
  cost_micros: number;
  tokens: number;
  unpriced_calls: number;
  /** A day's byte-days are what was stored on it. */
  stored: number;
}

export function daysOf(summary: Pick<UsageSummary, "from" | "to" | "results">): Day[] {
  const known = new Map(summary.results.map((row) => [row.day, row]));
  const days: Day[] = [];
  const last = summary.to.slice(0, 10);
  for (let at = new Date(`${summary.from.slice(0, 10)}T00:00:00Z`); ; at.setUTCDate(at.getUTCDate() + 1)) {
    const day = at.toISOString().slice(0, 10);
    if (day > last) return days;
    const row = known.get(day);
    days.push({
      day,
      cost_micros: row?.cost_micros ?? 0,
      tokens: row ? row.input + row.output : 0,
      unpriced_calls: row?.unpriced_calls ?? 0,
      stored: row?.storage_byte_days ?? 0,
    });
  }
}
