import { expect, test } from "vitest";
import { cost, money } from "./money";

test.each([
  [0, "$0.00"],
  [42, "< $0.0001"],
  [1_234, "$0.0012"],
  [420_000, "$0.42"],
  [1_234_567_890, "$1,234.57"],
])("%i millionths are %s", (micros, words) => {
  expect(money(micros)).toBe(words);
});

test.each([
  [{ cost_micros: 0, unpriced_calls: 0 }, "$0.00"],
  [{ cost_micros: 0, unpriced_calls: 2 }, "cost unknown"],
  [{ cost_micros: 500_000, unpriced_calls: 1 }, "$0.50 + unknown"],
])("what is not known is said: %o", (usage, words) => {
  expect(cost(usage)).toBe(words);
});
