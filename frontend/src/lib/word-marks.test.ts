// What is marked within changed lines.
import { expect, test } from "vitest";
import { parsePatch } from "./patch";
import { wordMarks } from "./word-marks";

function marked(patch: string): string[] {
  const lines = parsePatch(patch);
  return [...wordMarks(lines)].map(([index, [from, to]]) => lines[index]?.text.slice(from, to) ?? "");
}

test.each([
  ["a word", "-const size = 10;\n+const width = 10;\n", ["size", "width"]],
  ["part of a word is the word", "-call(userName, 1);\n+call(userTitle, 1);\n", ["userName", "userTitle"]],
  ["what was added only", "-call(one);\n+call(one, two);\n", [", two"]],
  ["lines that have nothing in common", "-return null;\n+if (x) throw y\n", []],
  ["a whole emoji", "-say 😀 to all of them\n+say 😁 to all of them\n", ["😀", "😁"]],
  ["each line beside its own", "-a = 1 + x\n-b = 1 + x\n+a = 2 + x\n+b = 3 + x\n", ["1", "2", "1", "3"]],
  ["nothing of lines that stand alone", "-gone entirely\n same\n+new entirely\n", []],
])("%s", (_, lines, words) => {
  expect(marked(`@@ -1,9 +1,9 @@\n${lines}`)).toEqual(words);
});

test("a line that a program wrote is not looked through", () => {
  expect(marked(`@@ -1 +1 @@\n-${"x".repeat(5000)}\n+${"x".repeat(5000)}y\n`)).toEqual([]);
});
