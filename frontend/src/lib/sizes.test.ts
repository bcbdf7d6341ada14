import { expect, test } from "vitest";
import { diskWords, formatSize, formatStored } from "./sizes";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_500, "1.5 KB"],
  [412_000_000, "412 MB"],
  [2 ** 40, "1.1 TB"],
  [5e15, "5.0 PB"],
])("%i bytes are %s", (bytes, words) => {
  expect(formatSize(bytes)).toBe(words);
});

test("what is stored over time has a unit of its own", () => {
  expect(formatStored(36_000_000_000)).toBe("36 GB-days");
});

test("a limit is told where there is one", () => {
  const disk = { bytes: 412_000_000, limit: null, measured_at: "2026-03-01T10:00:00Z" };
  expect(diskWords(disk)).toBe("412 MB");
  expect(diskWords({ ...disk, limit: 5_000_000_000 })).toBe("412 MB of 5.0 GB");
});
