// The bytes of the wire, as docs/terminals.md has them.
import { expect, test } from "vitest";
import { readOutput, readTerminalMessage, writeInput } from "./terminal-frames";

test("output begins with flags and an offset of eight bytes", () => {
  const message = Uint8Array.of(3, 0, 0, 0, 1, 0, 0, 0, 2, 65, 66);
  expect(readOutput(message)).toEqual({
    offset: 2 ** 32 + 2,
    isLive: true,
    mayAnswer: true,
    bytes: Uint8Array.of(65, 66),
  });
  expect(readOutput(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0)).mayAnswer).toBe(false);
  expect(readOutput(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0)).isLive).toBe(false);
});

test("output without a head is refused", () => {
  expect(() => readOutput(Uint8Array.of(1, 0, 0))).toThrow();
});

test("input has no flags", () => {
  expect(writeInput(258, Uint8Array.of(97))).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 2, 97));
});

test("messages of unknown types are left to later versions, what is no message is refused", () => {
  expect(readTerminalMessage('{"type":"heartbeat"}')).toEqual({ type: "heartbeat" });
  expect(readTerminalMessage('{"type":"hologram"}')).toBeNull();
  expect(() => readTerminalMessage("[]")).toThrow();
  expect(() => readTerminalMessage("7")).toThrow();
});
