// Times in words.
import { expect, test } from "vitest";
import { clock, duration, relativeTime, spanWords, took } from "./time";

const NOW = Date.parse("2026-11-22T15:00:00Z");

test.each([
  [0, "just now"],
  [44, "just now"],
  [60, "1 min ago"],
  [50 * 60, "50 min ago"],
  [3 * 3600, "3 h ago"],
  [30 * 3600, "yesterday"],
  [3 * 86_400, "3 days ago"],
  [-10, "just now"],
])("%i s ago", (seconds, words) => {
  expect(relativeTime(new Date(NOW - seconds * 1000).toISOString(), NOW)).toBe(words);
});

test.each([
  [0, "0:00"],
  [42_900, "0:42"],
  [725_000, "12:05"],
  [3_723_000, "1:02:03"],
  [-5, "0:00"],
])("clock(%i)", (ms, words) => expect(clock(ms)).toBe(words));

test.each([
  [40, "0.0 s"],
  [3200, "3.2 s"],
  [48_400, "48 s"],
  [125_000, "2 min 5 s"],
  [180_000, "3 min"],
])("duration(%i)", (ms, words) => expect(duration(ms)).toBe(words));

test.each([
  ["2026-11-22T10:00:01.500Z", 1500],
  ["2026-11-22T09:59:59.000Z", 0],
  [null, null],
])("took until %s", (ended_at, milliseconds) =>
  expect(took({ started_at: "2026-11-22T10:00:00.000Z", ended_at })).toBe(milliseconds),
);

test.each([
  [86_400, "a day"],
  [3 * 86_400, "3 days"],
  [3600, "an hour"],
  [129_600, "36 hours"],
  [5400, "90 minutes"],
  [20, "a minute"],
])("spanWords(%i)", (seconds, words) => {
  expect(spanWords(seconds)).toBe(words);
});
