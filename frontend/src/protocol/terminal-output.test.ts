// Output by offset: repeats, overlaps, holes, and when it is acknowledged.
import { expect, test } from "vitest";
import { TerminalOutput } from "./terminal-output";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (part: Uint8Array | null) => part && new TextDecoder().decode(part);

test("what was seen already is left out, in whole or in part", () => {
  const output = new TerminalOutput();
  expect(text(output.take(7, bytes("hello")))).toBe("hello");
  expect(text(output.take(7, bytes("hello")))).toBe("");
  expect(text(output.take(10, bytes("lo, you")))).toBe(", you");
  expect(output.next).toBe(17);
});

test("a hole is seen, and nothing behind it is shown", () => {
  const output = new TerminalOutput();
  output.moveTo(10);
  expect(output.take(11, bytes("x"))).toBeNull();
  expect(output.next).toBe(10);
});

test("goes on anywhere when it is told to", () => {
  const output = new TerminalOutput();
  output.take(0, bytes("before"));
  output.moveTo(1000);
  expect(text(output.take(1000, bytes("after")))).toBe("after");
});

test("is acknowledged every 32 KiB, and when nothing is left to parse", () => {
  const output = new TerminalOutput();
  output.take(0, new Uint8Array(70_000));
  expect(output.parsed(10_000)).toBeNull();
  expect(output.parsed(40_000)).toBe(40_000);
  expect(output.parsed(50_000)).toBeNull();
  expect(output.parsed(70_000)).toBe(70_000);
});

test("a late word about what was parsed before a reset acknowledges nothing", () => {
  const output = new TerminalOutput();
  output.take(0, bytes("long ago"));
  output.moveTo(5000);
  expect(output.parsed(8)).toBeNull();
});
