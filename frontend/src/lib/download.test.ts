// Names of files that are saved.
import { expect, test } from "vitest";
import { fileName } from "./download";

test.each([
  ["npm test", "npm test.txt"],
  ["../../etc/passwd", "etc-passwd.txt"],
  ["a\u202eb: c?", "a-b- c.txt"],
  ["…", "download.txt"],
  ["x".repeat(300), `${"x".repeat(80)}.txt`],
])("%j is saved as %j", (title, name) => {
  expect(fileName(title, "txt")).toBe(name);
});
