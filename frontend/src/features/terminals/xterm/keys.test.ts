// Which keys a terminal does not get.
import { expect, test } from "vitest";
import { terminalKeyOf } from "./keys";

function press(keys: string, type = "keydown") {
  const parts = keys.split("+");
  const key = parts.at(-1) ?? "";
  return {
    type,
    key,
    code: key === "`" || key === "~" ? "Backquote" : "",
    ctrlKey: parts.includes("Ctrl"),
    metaKey: parts.includes("Cmd"),
    shiftKey: parts.includes("Shift"),
    altKey: parts.includes("Alt"),
  };
}

test.each([
  ["Ctrl+`", "app"],
  ["Ctrl+Shift+~", "leave"],
  ["Ctrl+Shift+F", "find"],
  ["Ctrl+Shift+C", "copy"],
  ["Ctrl+Shift+ArrowUp", "previous-command"],
  ["Ctrl+c", null],
  ["Ctrl+f", null],
  ["Ctrl+k", null],
  ["Escape", null],
  ["Tab", null],
  ["Alt+f", null],
])("%s is %s", (keys, meaning) => {
  expect(terminalKeyOf(press(keys), false, false)).toBe(meaning);
});

test("with something selected Ctrl+C copies, and on a Mac it never does", () => {
  expect(terminalKeyOf(press("Ctrl+c"), true, false)).toBe("copy");
  expect(terminalKeyOf(press("Ctrl+c"), true, true)).toBeNull();
  expect(terminalKeyOf(press("Cmd+Shift+f"), false, true)).toBe("find");
});

test("only pressing counts, or one key would do it twice", () => {
  expect(terminalKeyOf(press("Ctrl+Shift+F", "keyup"), false, false)).toBeNull();
});
