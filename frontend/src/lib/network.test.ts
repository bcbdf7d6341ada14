// Words and numbers of what a box reaches.
import { expect, test } from "vitest";
import { canBeAllowed, hostWithPort, policiesUpTo, reasonOf, sizeOf } from "./network";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 KB"],
  [123_456, "123 KB"],
  [9_990_000, "10.0 MB"],
  [3e15, "3000 TB"],
])("%d bytes are %s", (bytes, words) => {
  expect(sizeOf(bytes)).toBe(words);
});

test("only what the administrator allows can be chosen", () => {
  expect(policiesUpTo("none").map(({ id }) => id)).toEqual(["none"]);
  expect(policiesUpTo("full").map(({ id }) => id)).toEqual(["none", "allow-list", "full"]);
});

test("a host is named with its port where that says something", () => {
  expect(hostWithPort("a.example", 443)).toBe("a.example");
  expect(hostWithPort("a.example", 8443)).toBe("a.example:8443");
});

test("a reason that is not known is shown as it is, and private hosts stay where they are", () => {
  expect(reasonOf("never")).toBe("never allowed");
  expect(reasonOf("moon_phase")).toBe("moon phase");
  expect(canBeAllowed("not_allowed")).toBe(true);
  expect(canBeAllowed("private")).toBe(false);
});
