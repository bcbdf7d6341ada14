// What was used and what it cost: over time, by model, by session, how fast, and what nobody knows the price of.
import { useQuery } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { buttonClass } from "@/components/button";
import { Select } from "@/components/form";
import { Problem, Skeleton } from "@/components/states";
import type { UsageSummary } from "@/lib/api/types";
import { usageQuery, usageTable } from "@/lib/api/usage";
import { cost, money } from "@/lib/money";
import { Budgets } from "./budgets";
import { daysOf } from "./days";

const SpendChart = lazy(async () => ({ default: (await import("./charts")).SpendChart }));
const ShareChart = lazy(async () => ({ default: (await import("./charts")).ShareChart }));

export function UsagePage() {
  const [days, setDays] = useState(30);
  const byDay = useQuery(usageQuery(days, "day"));
  const byModel = useQuery(usageQuery(days, "model"));
  const bySession = useQuery(usageQuery(days, "session"));
  const sessions = new Map(bySession.data?.results.map((row) => [row.session ?? "", row.title ?? ""]));
  return (
    <section aria-labelledby="usage-title" data-testid="usage-page">
      <header className="flex flex-wrap items-center justify-between gap-3">
        <h1 id="usage-title" className="text-xl font-semibold">
          Usage
        </h1>
        <span className="flex items-center gap-2">
          <Select aria-label="Period" value={days} onChange={(event) => setDays(Number(event.target.value))}>
            <option value={7}>7 days</option>
            <option value={30}>30 days</option>
            <option value={90}>90 days</option>
            <option value={365}>1 year</option>
          </Select>
          <a className={buttonClass()} href={usageTable(days)} download>
            CSV
          </a>
        </span>
      </header>
      {byDay.isPending && <Skeleton lines={4} />}
      {byDay.error && (
        <Problem what="The usage could not be loaded" error={byDay.error} onRetry={() => byDay.refetch()} />
      )}
      {byDay.data && <Summary summary={byDay.data} />}
      {byModel.data && <Rows title="By model" summary={byModel.data} nameOf={(row) => row.model ?? ""} />}
      {bySession.data && (
        <Rows title="By session" summary={bySession.data} nameOf={(row) => row.title || "Untitled session"} />
      )}
      <Budgets sessions={sessions} />
    </section>
  );
}

function Summary({ summary }: { summary: UsageSummary }) {
  const { totals, burn } = summary;
  const days = daysOf(summary);
  const tokens = totals.input + totals.output;
  return (
    <>
      <dl className="my-4 grid grid-cols-2 gap-3 md:grid-cols-4">
        <Figure name="Spent" value={cost(totals)} />
        <Figure name="Tokens" value={tokens.toLocaleString()} />
        <Figure name="Last hour" value={`${money(burn.last_hour_micros)} / h`} />
        <Figure name="Last day" value={`${money(burn.last_day_micros)} / day`} />
        <Figure name="Boxes ran" value={`${(summary.instance_seconds / 3600).toFixed(1)} h`} />
        <Figure name="Storage" value="not measured" />
      </dl>
      {totals.estimated_calls > 0 && (
        <p className="mb-3 text-sm text-muted" data-testid="estimated">
          {totals.estimated_calls.toLocaleString()} of {totals.calls.toLocaleString()} calls were broken off
          before their provider told its numbers, and count as the most that they may have cost.
        </p>
      )}
      {summary.unpriced.length > 0 && (
        <p
          className="mb-3 rounded-md border border-attention-border bg-attention-soft px-3 py-2 text-sm"
          data-testid="unpriced"
        >
          Nobody knows what these cost, so it is in no sum:{" "}
          {summary.unpriced.map((row) => `${row.model} (${row.provider}, ${row.calls} calls)`).join(", ")}. An
          administrator can enter their prices.
        </p>
      )}
      <Suspense fallback={<div className="h-52" />}>
        <SpendChart spent={days.map((day) => ({ name: day.day.slice(5), micros: day.cost_micros }))} />
      </Suspense>
      <details className="mt-2 text-sm">
        <summary className="cursor-pointer text-muted">Spent each day, as a table</summary>
        <Table
          caption="Spent each day"
          names={["Day", "Cost", "Tokens"]}
          rows={days.map((day) => [day.day, cost(day), day.tokens.toLocaleString()])}
        />
      </details>
    </>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div className="rounded-md border border-border bg-raised px-3 py-2">
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="text-base font-semibold tabular-nums [overflow-wrap:anywhere]">{value}</dd>
    </div>
  );
}

type Row = UsageSummary["results"][number];

const SHOWN = 50;
const DRAWN = 8;

function Rows({
  title,
  summary,
  nameOf,
}: {
  title: string;
  summary: UsageSummary;
  nameOf: (row: Row) => string;
}) {
  const rows = [...summary.results].sort((one, other) => other.cost_micros - one.cost_micros).slice(0, SHOWN);
  return (
    <section className="mt-8">
      <h2 className="mb-2 text-lg font-semibold">{title}</h2>
      <Suspense fallback={null}>
        <ShareChart
          spent={rows
            .filter((row) => row.cost_micros > 0)
            .slice(0, DRAWN)
            .map((row) => ({ name: nameOf(row), micros: row.cost_micros }))}
        />
      </Suspense>
      <Table
        caption={title}
        names={["Name", "Cost", "Tokens", "Calls"]}
        rows={rows.map((row) => [
          nameOf(row),
          cost(row),
          (row.input + row.output).toLocaleString(),
          row.calls.toLocaleString(),
        ])}
      />
    </section>
  );
}

function Table({ caption, names, rows }: { caption: string; names: string[]; rows: ReactNode[][] }) {
  return (
    <div className="overflow-x-auto">
      <table className="w-full text-sm">
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr className="border-border border-b text-left text-xs text-muted">
            {names.map((name) => (
              <th key={name} scope="col" className="py-1.5 pr-3 font-medium">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index} className="border-border border-b">
              {row.map((cell, column) => (
                <td key={names[column]} className="py-1.5 pr-3 tabular-nums [overflow-wrap:anywhere]">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
