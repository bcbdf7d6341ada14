// The charts of the usage page; loaded when somebody opens it. Tables beside them say the same to everybody.
import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { money } from "@/lib/money";

export interface Spent {
  name: string;
  micros: number;
}

const TEXT = { fill: "var(--fg-muted)", fontSize: 11 };
const TIP = {
  background: "var(--bg-raised)",
  border: "1px solid var(--border)",
  borderRadius: 6,
  color: "var(--fg)",
  fontSize: 12,
};

/** Dollars for each day. */
export function SpendChart({ spent }: { spent: Spent[] }) {
  // Of nothing there is no scale.
  const hasSpent = spent.some(({ micros }) => micros > 0);
  return (
    <div aria-hidden className="h-52" data-testid="spend-chart">
      <ResponsiveContainer width="100%" height="100%">
        <BarChart data={spent} accessibilityLayer={false} margin={{ top: 8, right: 4, bottom: 0, left: 0 }}>
          <CartesianGrid vertical={false} stroke="var(--border)" />
          <XAxis dataKey="name" tick={TEXT} tickLine={false} axisLine={false} minTickGap={24} />
          <YAxis
            hide={!hasSpent}
            tick={TEXT}
            tickLine={false}
            axisLine={false}
            width={58}
            tickFormatter={money}
          />
          <Tooltip
            cursor={{ fill: "var(--bg-hover)" }}
            contentStyle={TIP}
            formatter={(micros) => [money(Number(micros)), "Spent"]}
          />
          <Bar dataKey="micros" fill="var(--accent)" radius={[3, 3, 0, 0]} isAnimationActive={false} />
        </BarChart>
      </ResponsiveContainer>
    </div>
  );
}

/** Who spent most of it. */
export function ShareChart({ spent }: { spent: Spent[] }) {
  if (spent.length === 0) return null;
  return (
    <div aria-hidden className="mb-2" style={{ height: spent.length * 28 + 28 }}>
      <ResponsiveContainer width="100%" height="100%">
        <BarChart data={spent} layout="vertical" accessibilityLayer={false} margin={{ top: 0, right: 12 }}>
          <XAxis type="number" tick={TEXT} tickLine={false} axisLine={false} tickFormatter={money} />
          <YAxis
            type="category"
            dataKey="name"
            tick={TEXT}
            tickLine={false}
            axisLine={false}
            width={140}
            tickFormatter={shortened}
          />
          <Tooltip
            cursor={{ fill: "var(--bg-hover)" }}
            contentStyle={TIP}
            formatter={(micros) => [money(Number(micros)), "Spent"]}
          />
          <Bar dataKey="micros" fill="var(--accent)" radius={[0, 3, 3, 0]} isAnimationActive={false} />
        </BarChart>
      </ResponsiveContainer>
    </div>
  );
}

function shortened(name: string): string {
  return name.length > 18 ? `${name.slice(0, 17)}…` : name;
}
