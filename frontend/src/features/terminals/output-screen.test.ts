// What of a command's output is new.
import { expect, test } from "vitest";
import { newOutput } from "./output-screen";

test.each([
  ["abc", 0, 0, "abc"],
  ["abcdef", 0, 3, "def"],
  ["abc", 0, 3, ""],
  ["cdef", 2, 3, "def"],
  ["xyz", 10, 3, null],
  ["a", 0, 5, null],
])("of %j after %i left out, with %i shown", (output, omitted, shown, added) => {
  expect(newOutput(output, omitted, shown)).toBe(added);
});
