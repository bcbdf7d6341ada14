// Addresses come from anywhere: what is not understood is left out.
import { expect, test } from "vitest";
import { validateSessionSearch } from "./session-search";

test.each([
  [{}, {}],
  [
    { panel: "files", path: "src/a.py", file: true },
    { panel: "files", path: "src/a.py", file: true },
  ],
  [
    { panel: "terminal", terminal: "6f1c" },
    { panel: "terminal", terminal: "6f1c" },
  ],
  [
    { panel: "files", path: "a.py", file: true, line: 12 },
    { panel: "files", path: "a.py", file: true, line: 12 },
  ],
  [{ line: 0 }, {}],
  [{ line: "2" }, {}],
  [{ panel: "basement", path: 5, file: "yes", terminal: 7 }, {}],
])("%j", (search, valid) => {
  expect(validateSessionSearch(search)).toEqual(valid);
});
