// Amounts of money as people read them; the platform counts in millionths of a US dollar.

const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const cents = new Intl.NumberFormat("en-US", {
  style: "currency",
  currency: "USD",
  maximumFractionDigits: 4,
});

/** Dollars and cents; less than a cent keeps as many digits as it takes to be something. */
export function money(micros: number): string {
  if (micros > 0 && micros < 100) return "< $0.0001";
  return (micros !== 0 && micros < 10_000 ? cents : dollars).format(micros / 1_000_000);
}

/** What is known of a cost, and that some of it is not. */
export function cost(usage: { cost_micros: number; unpriced_calls: number }): string {
  if (usage.unpriced_calls === 0) return money(usage.cost_micros);
  return usage.cost_micros === 0 ? "cost unknown" : `${money(usage.cost_micros)} + unknown`;
}
