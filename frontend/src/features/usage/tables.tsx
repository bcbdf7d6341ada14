// Sums of use as tables, and as charts of the largest.
import { lazy, type ReactNode, Suspense } from "react";
import type { UsageSummary } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { cost } from "@/lib/money";
import { formatStored } from "@/lib/sizes";

const ShareChart = lazy(async () => ({ default: (await import("./charts")).ShareChart }));

export type Row = UsageSummary["results"][number];

const SHOWN = 50;
const DRAWN = 8;

/** The dearest first; of those that cost alike, whoever stores most. */
function byCost(one: Row, other: Row): number {
  return other.cost_micros - one.cost_micros || (other.storage_byte_days ?? 0) - (one.storage_byte_days ?? 0);
}

/** Who spent most of it, drawn and as a table. */
export function Rows({
  title,
  summary,
  nameOf,
}: {
  title: string;
  summary: UsageSummary;
  nameOf: (row: Row) => string;
}) {
  const rows = [...summary.results].sort(byCost).slice(0, SHOWN);
  const hasStorage = summary.results.some((row) => row.storage_byte_days !== undefined);
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
        names={["Name", "Cost", "Tokens", "Calls", ...(hasStorage ? ["Stored"] : [])]}
        rows={rows.map((row) => [
          nameOf(row),
          cost(row),
          (row.input + row.output).toLocaleString(),
          row.calls.toLocaleString(),
          ...(hasStorage ? [formatStored(row.storage_byte_days ?? 0)] : []),
        ])}
      />
    </section>
  );
}

export function Table({ caption, names, rows }: { caption: string; names: string[]; rows: ReactNode[][] }) {
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
                <td
                  key={names[column]}
                  className={cn("py-1.5 pr-3 tabular-nums", column === 0 && "[overflow-wrap:anywhere]")}
                >
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
