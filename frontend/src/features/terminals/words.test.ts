// Words about terminals.
import { expect, test } from "vitest";
import { exitWords, forAgent } from "./words";

test.each([
  ["exited", 0, "", 9, "The program has ended."],
  ["exited", 3, "", 9, "The program has ended with 3."],
  ["exited", -9, "", 9, "The program was ended by signal 9."],
  ["failed", null, "There is no program nope.", 0, "There is no program nope."],
  ["stopped", null, "", 9, "The box was stopped; this is what the terminal showed."],
  ["lost", null, "", 0, "The box was lost, and the terminal with it."],
  ["lost", null, "", 9, "The box was lost, and the terminal with it; this is what is left of it."],
])("%s %s %j at %s", (reason, exit_code, message, offset, words) => {
  expect(exitWords({ reason, exit_code, message, offset })).toBe(words);
});

test("a fence is longer than any in the text", () => {
  expect(forAgent("From the terminal:", "a ```` b")).toBe("From the terminal:\n\n`````\na ```` b\n`````\n");
});

test("of a long text the agent gets the end", () => {
  const given = forAgent("It failed:", `${"x".repeat(50_000)}the end`);
  expect(given.length).toBeLessThan(13_000);
  expect(given).toContain("the end\n```");
});
