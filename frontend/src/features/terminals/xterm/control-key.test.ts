// Ctrl that is held for one key.
import { expect, test } from "vitest";
import { ControlKey, controlled } from "./control-key";

test.each([
  ["c", "\u0003"],
  ["C", "\u0003"],
  [" ", "\0"],
  ["[", "\u001b"],
  ["\u001b[A", "\u001b[1;5A"],
  ["\u001bOD", "\u001b[1;5D"],
  ["\t", "\t"],
  ["\u001b", "\u001b"],
  ["\u001b[H", "\u001b[H"],
  ["é", "é"],
  ["ab", "ab"],
  ["text", "text"],
  ["1", "1"],
])("%j with Ctrl is %j", (data, expected) => {
  expect(controlled(data)).toBe(expected);
});

test("it holds for one key, and says so", () => {
  const said: boolean[] = [];
  const control = new ControlKey((isHeld) => said.push(isHeld));
  control.toggle();
  expect(control.apply("\u001b[C")).toBe("\u001b[1;5C");
  expect(control.apply("\u001b[C")).toBe("\u001b[C");
  expect(said).toEqual([true, false]);
});
