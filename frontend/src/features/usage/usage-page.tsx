// What was used and what it cost: over time, by model, by session, how fast, and what nobody knows the price of.
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { buttonClass } from "@/components/button";
import { Select } from "@/components/form";
import { Problem, Skeleton } from "@/components/states";
import { meQuery } from "@/lib/api/account";
import type { UsageSummary } from "@/lib/api/types";
import { type UsageOf, usageQuery, usageTable } from "@/lib/api/usage";
import { cost, money } from "@/lib/money";
import { formatSize, formatStored } from "@/lib/sizes";
import { Budgets } from "./budgets";
import { daysOf } from "./days";
import { type Row, Rows, Table } from "./tables";

const SpendChart = lazy(async () => ({ default: (await import("./charts")).SpendChart }));

export function UsagePage() {
  const [days, setDays] = useState(30);
  const [of, setOf] = useState<UsageOf>("me");
  const { data: me } = useQuery(meQuery);
  const byDay = useQuery(usageQuery(days, "day", of));
  return (
    <section aria-labelledby="usage-title" data-testid="usage-page">
      <header className="flex flex-wrap items-center justify-between gap-3">
        <h1 id="usage-title" className="text-xl font-semibold">
          Usage
        </h1>
        <span className="flex items-center gap-2">
          {me?.is_staff && (
            <Select
              aria-label="Whose"
              className="w-36"
              value={of}
              onChange={(event) => setOf(event.target.value as UsageOf)}
            >
              <option value="me">Mine</option>
              <option value="everybody">Everybody’s</option>
            </Select>
          )}
          <Select
            aria-label="Period"
            className="w-28"
            value={days}
            onChange={(event) => setDays(Number(event.target.value))}
          >
            <option value={7}>7 days</option>
            <option value={30}>30 days</option>
            <option value={90}>90 days</option>
            <option value={365}>1 year</option>
          </Select>
          <a className={buttonClass()} href={usageTable(days, of)} download>
            CSV
          </a>
        </span>
      </header>
      {byDay.isPending && <Skeleton lines={4} />}
      {byDay.error && (
        <Problem what="The usage could not be loaded" error={byDay.error} onRetry={() => byDay.refetch()} />
      )}
      {byDay.data && <Summary summary={byDay.data} />}
      <Shares days={days} of={of} />
      <Budgets />
    </section>
  );
}

/** The same sums by what they were spent on. */
function Shares({ days, of }: { days: number; of: UsageOf }) {
  const byUser = useQuery({ ...usageQuery(days, "user", "everybody"), enabled: of === "everybody" });
  const byModel = useQuery(usageQuery(days, "model", of));
  const byKey = useQuery(usageQuery(days, "key", of));
  const bySession = useQuery(usageQuery(days, "session", of));
  return (
    <>
      {of === "everybody" && <Share title="By user" asked={byUser} nameOf={(row) => row.email ?? ""} />}
      <Share title="By model" asked={byModel} nameOf={(row) => row.model ?? ""} />
      <Share title="By key" asked={byKey} nameOf={keyName} />
      <Share title="By session" asked={bySession} nameOf={(row) => row.title || "Untitled session"} />
    </>
  );
}

interface ShareProps {
  title: string;
  asked: UseQueryResult<UsageSummary>;
  nameOf: (row: Row) => string;
}

function Share({ title, asked, nameOf }: ShareProps) {
  if (asked.data) return <Rows title={title} summary={asked.data} nameOf={nameOf} />;
  if (asked.isPending) return <Skeleton className="mt-8" />;
  return (
    <Problem
      what={`The usage ${title.toLowerCase()} could not be loaded`}
      error={asked.error}
      onRetry={() => asked.refetch()}
    />
  );
}

function keyName(row: Row): string {
  if (!row.key) return "Without a key, or one that was deleted";
  return row.label ? `${row.label} (${row.provider})` : `${row.provider} …${row.hint}`;
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
        <Figure
          name="Storage now"
          value={summary.storage_bytes === null ? "not measured yet" : formatSize(summary.storage_bytes)}
        />
        <Figure name="Stored in all" value={formatStored(summary.storage_byte_days)} />
      </dl>
      {summary.storage_byte_days > 0 && (
        <p className="mb-3 text-xs text-muted">
          The disk of a session counts each day with the most that it was seen to take, and as long as a
          deleted session can be restored.
        </p>
      )}
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
        <summary className="cursor-pointer text-muted">Spent and stored each day, as a table</summary>
        <Table
          caption="Spent and stored each day"
          names={["Day", "Cost", "Tokens", "Storage"]}
          rows={days.map((day) => [day.day, cost(day), day.tokens.toLocaleString(), formatSize(day.stored)])}
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
