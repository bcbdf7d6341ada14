// Patches are data from the box: read what is one, survive what is not.
import { describe, expect, test } from "vitest";
import { countPatch, parsePatch, sideBySide } from "./patch";

const PATCH = `diff --git a/x.py b/x.py
index 1..2 100644
--- a/x.py
+++ b/x.py
@@ -1,3 +1,4 @@ def f
 one
-two
+2
+2b
 three
\\ No newline at end of file
`;

describe("parsePatch", () => {
  test("numbers old and new lines and leaves the file header out", () => {
    expect(
      parsePatch(PATCH).map(({ kind, text, oldLine, newLine }) => [kind, text, oldLine, newLine]),
    ).toEqual([
      ["hunk", "@@ -1,3 +1,4 @@ def f", null, null],
      ["context", "one", 1, 1],
      ["delete", "two", 2, null],
      ["add", "2", null, 2],
      ["add", "2b", null, 3],
      ["context", "three", 3, 4],
      ["note", "No newline at end of file", null, null],
    ]);
  });

  test("within a hunk, lines that look like headers are lines", () => {
    const parsed = parsePatch("@@ -1,2 +1,1 @@\n--- gone\n+++ come\n");
    expect(parsed.slice(1).map(({ kind, text }) => [kind, text])).toEqual([
      ["delete", "-- gone"],
      ["add", "++ come"],
    ]);
  });

  test("text that is no patch is shown as it is", () => {
    expect(parsePatch("hello\nworld").map((line) => line.text)).toEqual(["hello", "world"]);
    expect(parsePatch("")).toEqual([]);
  });

  test("counts", () => {
    expect(countPatch(parsePatch(PATCH))).toEqual({ additions: 2, deletions: 1 });
  });
});

test("side by side, what was added stands beside what it replaces", () => {
  const rows = sideBySide(parsePatch("@@ -1,5 +1,5 @@\n a\n-b\n-c\n+B\n d\n+e\n-f\n"));
  const shown = rows.map((row) =>
    row.whole ? "whole" : `${row.old?.line.text ?? ""}|${row.new?.line.text ?? ""}`,
  );
  expect(shown).toEqual(["whole", "a|a", "b|B", "c|", "d|d", "|e", "f|"]);
});
