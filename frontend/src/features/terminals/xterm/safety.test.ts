// Titles, addresses and clipboards that a program would like to have.
import { expect, test } from "vitest";
import { cleanTitle } from "./clean-title";
import { decodeOffer, offerClipboard } from "./clipboard";
import { ControlKey } from "./control-key";
import { headlessXterm, written } from "./fake-xterm";
import { safeAddress } from "./links";

test.each([
  ["vim src/a.py", "vim src/a.py"],
  ["  two\n\nlines\t", "two lines"],
  ["invoice\u202efdp.exe", "invoice fdp.exe"],
  ["a\u200bb\u0007c\u009b31m", "a b c 31m"],
  ["x".repeat(500), "x".repeat(80)],
  ["\u3164", ""],
])("the title %j becomes %j", (title, clean) => {
  expect(cleanTitle(title)).toBe(clean);
});

test.each([
  ["https://example.org/a?b=c#d", "https://example.org/a?b=c#d"],
  ["http://127.0.0.1:3000", "http://127.0.0.1:3000/"],
  ["HTTPS://EXAMPLE.org", "https://example.org/"],
  ["https://аррӏе.com/", "https://xn--80ak6aa92e.com/"],
  ["javascript:alert(1)", null],
  ["JavaScript://example.org/%0aalert(1)", null],
  ["file:///etc/passwd", null],
  ["data:text/html,x", null],
  ["vscode://file/etc", null],
  ["example.org", null],
  ["", null],
  [`https://example.org/${"x".repeat(3000)}`, null],
])("the address %j leads to %j", (text, address) => {
  expect(safeAddress(text)).toBe(address);
});

test.each([
  ["c;aGk=", "hi"],
  ["p;w6k=", "é"],
  [";aGk=", "hi"],
  ["c;?", null],
  ["c;", null],
  ["aGk=", null],
  ["c;not base64!", null],
  ["c;/////w==", null],
  [`c;${"aGlo".repeat(200_000)}`, null],
])("the offer %.40j is %j", (data, text) => {
  expect(decodeOffer(data)).toBe(text);
});

test("what was offered long ago is not offered again", async () => {
  const xterm = headlessXterm();
  const offers: string[] = [];
  let isLive = false;
  offerClipboard(
    xterm,
    () => isLive,
    (text) => offers.push(text),
  );
  await written(xterm, "\u001b]52;c;b2xk\u0007");
  isLive = true;
  await written(xterm, "\u001b]52;c;bmV3\u0007\u001b]52;c;?\u0007");
  expect(offers).toEqual(["new"]);
});

test("Ctrl holds for one character, and can be let go", () => {
  const states: boolean[] = [];
  const key = new ControlKey((isHeld) => states.push(isHeld));
  key.toggle();
  expect(key.apply("d")).toBe("\u0004");
  expect(key.apply("d")).toBe("d");
  key.toggle();
  key.toggle();
  expect(key.apply("d")).toBe("d");
  expect(states).toEqual([true, false, true, false]);
});
