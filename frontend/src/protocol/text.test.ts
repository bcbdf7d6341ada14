// Text at code point offsets, compared with the plain definition of the rule.
import { describe, expect, test } from "vitest";
import { codePointLength, mergeText } from "./text";

function byDefinition(old: string, offset: number, text: string): string {
  const points = Array.from(old);
  const added = Array.from(text);
  if (offset > points.length) return old + text;
  return [...points.slice(0, offset), ...added, ...points.slice(offset + added.length)].join("");
}

describe("mergeText", () => {
  const olds = ["", "plain", "naïve 日本", "🙂🙃", "a👩‍💻b", "𝒳"];
  const texts = ["", "x", "🙂", "longer than all of them 👍🏽", "日"];

  test.each(olds.flatMap((old) => texts.map((text) => [old, text] as const)))(
    "%j with %j anywhere",
    (old, text) => {
      for (let offset = 0; offset <= codePointLength(old) + 2; offset += 1) {
        const merged = mergeText(old, codePointLength(old), offset, text);
        expect(merged.text).toBe(byDefinition(old, offset, text));
        expect(merged.length).toBe(codePointLength(merged.text));
      }
    },
  );

  test("repeating a piece changes nothing", () => {
    const once = mergeText("ab🙂", 3, 3, "c🙃");
    expect(mergeText(once.text, once.length, 3, "c🙃")).toEqual(once);
  });
});
