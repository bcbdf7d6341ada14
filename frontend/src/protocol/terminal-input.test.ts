// Typed bytes against a sidecar that keeps the offset it has: whatever is cut, it ends with exactly what was typed.
import { describe, expect, test } from "vitest";
import { MAX_UNSENT_BYTES, TerminalInput } from "./terminal-input";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (part: Uint8Array | undefined) => new TextDecoder().decode(part);

/** The other end: takes what is next, drops what it has, and says how far it is. */
class Sidecar {
  received = "";
  take(frame: { offset: number; bytes: Uint8Array }): number {
    if (frame.offset > this.received.length) throw new Error("a hole in the input");
    this.received += text(frame.bytes.subarray(this.received.length - frame.offset));
    return this.received.length;
  }
}

test("is sent once, in order", () => {
  const input = new TerminalInput();
  input.push(bytes("ls"));
  input.push(bytes("\r"));
  expect(input.next()).toEqual({ offset: 0, bytes: bytes("ls\r") });
  expect(input.next()).toBeNull();
  input.acknowledge(3);
  expect(input.pending).toBe(0);
});

test("what was not acknowledged goes once more after a break", () => {
  const input = new TerminalInput();
  input.push(bytes("echo "));
  input.next();
  input.acknowledge(2);
  input.push(bytes("hi"));
  expect(input.resume(2)).toBe(true);
  expect(input.next()).toEqual({ offset: 2, bytes: bytes("ho hi") });
});

test("what had arrived before the break is not sent again", () => {
  const input = new TerminalInput();
  input.push(bytes("abcdef"));
  input.next();
  expect(input.resume(4)).toBe(true);
  expect(input.next()).toEqual({ offset: 4, bytes: bytes("ef") });
});

test("acknowledgements of what was never typed and old ones change nothing", () => {
  const input = new TerminalInput();
  input.push(bytes("abc"));
  input.acknowledge(9);
  input.acknowledge(2);
  input.acknowledge(1);
  expect(input.pending).toBe(1);
});

test("a sidecar that knows less than it had acknowledged, or more than was typed, is another one", () => {
  const input = new TerminalInput();
  input.push(bytes("abc"));
  input.acknowledge(2);
  expect(input.resume(1)).toBe(false);
  expect(input.resume(4)).toBe(false);
});

test("only a window of it is on its way", () => {
  const input = new TerminalInput();
  input.push(new Uint8Array(200_000));
  let sent = 0;
  for (let frame = input.next(); frame; frame = input.next()) sent += frame.bytes.length;
  expect(sent).toBe(64 * 1024);
  input.acknowledge(1000);
  expect(input.next()?.bytes.length).toBe(1000);
});

test("what is too much is refused as a whole", () => {
  const input = new TerminalInput();
  expect(input.push(new Uint8Array(MAX_UNSENT_BYTES + 1))).toBe(false);
  expect(input.pending).toBe(0);
  expect(input.push(bytes("still works"))).toBe(true);
});

describe.each([1, 2, 3, 4, 5])("with breaks at random (%i)", (seed) => {
  test("ends with exactly what was typed", () => {
    let state = seed * 7919;
    const random = (below: number) => {
      state = (state * 1103515245 + 12345) % 2147483648;
      return state % below;
    };
    const input = new TerminalInput();
    const sidecar = new Sidecar();
    let typed = "";
    for (let step = 0; step < 3000; step += 1) {
      const word = `${step},`;
      input.push(bytes(word));
      typed += word;
      const frame = input.next();
      // The frame may get lost with its connection, or arrive and only its acknowledgement is lost.
      const fate = random(6);
      if (frame && fate !== 0) sidecar.take(frame);
      if (fate > 1) input.acknowledge(sidecar.received.length);
      else expect(input.resume(sidecar.received.length)).toBe(true);
    }
    input.resume(sidecar.received.length);
    for (let frame = input.next(); frame; frame = input.next()) input.acknowledge(sidecar.take(frame));
    expect(sidecar.received).toBe(typed);
    expect(input.pending).toBe(0);
  });
});
