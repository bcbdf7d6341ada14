// What is being parsed at a moment, and other things in their place between the bytes.
import { expect, test } from "vitest";
import { headlessXterm } from "./fake-xterm";
import { type Origin, Parsing } from "./parsing";

const REPLAY: Origin = { isLive: false, mayAnswer: false };
const LIVE: Origin = { isLive: true, mayAnswer: true };
const bytes = (text: string) => new TextEncoder().encode(text);

test("each sequence is seen with the origin of its own bytes", async () => {
  const xterm = headlessXterm();
  const parsing = new Parsing();
  const seen: boolean[] = [];
  xterm.parser.registerOscHandler(777, () => {
    seen.push(parsing.now.isLive);
    return true;
  });
  const mark = bytes("\u001b]777;x\u0007");
  parsing.write(xterm, mark, LIVE, () => {});
  parsing.write(xterm, mark, REPLAY, () => {});
  await new Promise<void>((resolve) => parsing.write(xterm, mark, LIVE, resolve));
  expect(seen).toEqual([true, false, true]);
  expect(parsing.now.isLive).toBe(false);
});

test("a new size comes between the bytes before and after it", async () => {
  const xterm = headlessXterm({ cols: 10, rows: 5 });
  const parsing = new Parsing();
  const widths: number[] = [];
  xterm.parser.registerOscHandler(777, () => {
    widths.push(xterm.cols);
    return true;
  });
  const mark = bytes("\u001b]777;x\u0007");
  parsing.write(xterm, mark, LIVE, () => {});
  parsing.run(xterm, () => xterm.resize(20, 5));
  await new Promise<void>((resolve) => parsing.write(xterm, mark, LIVE, resolve));
  expect(widths).toEqual([10, 20]);
});

test.each([
  ["half a sequence", bytes("\u001b]0;half")],
  ["half a character", Uint8Array.of(0xe2, 0x82)],
])("after a reset %s is not continued", async (_what, half) => {
  const xterm = headlessXterm();
  const parsing = new Parsing();
  parsing.write(xterm, half, LIVE, () => {});
  parsing.reset(xterm, () => xterm.reset());
  await new Promise<void>((resolve) => parsing.write(xterm, bytes("clean"), LIVE, resolve));
  expect(xterm.buffer.active.getLine(0)?.translateToString(true)).toBe("clean");
});
