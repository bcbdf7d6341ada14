// A title within a sentence.
import { expect, test } from "vitest";
import { briefTitleOf } from "./titles";

test("long titles are cut between characters, short ones and none are as they are", () => {
  expect(briefTitleOf({ title: "🙂".repeat(200) })).toBe(`${"🙂".repeat(60)}…`);
  expect(briefTitleOf({ title: "fix the login" })).toBe("fix the login");
  expect(briefTitleOf({ title: "" })).toBe("Untitled session");
});
