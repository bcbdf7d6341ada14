import { expect, test } from "vitest";
import { daysOf } from "./days";

const ROW = {
  ...{ input: 5, output: 2, cached: 0, written: 0, reasoning: 0, calls: 1 },
  ...{ cost_micros: 9, unpriced_calls: 1, estimated_calls: 0 },
  storage_byte_days: 50,
};

test("days without use are there too, with nothing", () => {
  const results = [{ day: "2026-03-01", ...ROW }];
  const days = daysOf({ from: "2026-02-27T10:00:00.000Z", to: "2026-03-01T10:00:00.000Z", results });
  expect(days.map((day) => day.day)).toEqual(["2026-02-27", "2026-02-28", "2026-03-01"]);
  expect(days.map((day) => [day.cost_micros, day.tokens, day.unpriced_calls, day.stored])).toEqual([
    [0, 0, 0, 0],
    [0, 0, 0, 0],
    [9, 7, 1, 50],
  ]);
});
