// The palette's order: what was typed word for word comes before what only has its letters.
import { expect, test } from "vitest";
import { rank } from "./rank";

const ID = "0b8f6c1e-3a52-4d7b-9f10-2c4e6a8b0d13";

test.each([
  ["web", `write a small web app ${ID}`, "Show or hide the sidebar"],
  ["side", "Show or hide the sidebar", `ship inside the deck ${ID}`],
  ["theme", "Light theme", `the meter ${ID}`],
  ["inbox", "Inbox", `read in a box ${ID}`],
])("%s finds %j before %j", (search, better, worse) => {
  expect(rank(better, search)).toBeGreaterThan(rank(worse, search));
});

test("letters in order still fit, others do not", () => {
  expect(rank("Keyboard shortcuts", "kbsh")).toBeGreaterThan(0);
  expect(rank("Keyboard shortcuts", "xyz")).toBe(0);
});
