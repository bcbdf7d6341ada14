// Comments are kept until they are sent, and become one prompt in the order of files and lines.
import { expect, test } from "vitest";
import { forgetEverythingPersonal, recall, remember } from "@/lib/storage";
import { addComment, clearReview, promptOf, type ReviewComment, removeComment } from "./review";

const comment = (change: Partial<ReviewComment>): ReviewComment => ({
  id: "1",
  place: "p",
  path: "app.py",
  line: 3,
  isDeleted: false,
  code: "  x = 1",
  text: "Name it better.",
  ...change,
});

test("as a prompt they stand in the order of files and lines", () => {
  const text = promptOf([
    comment({ path: "b.py", line: 1, text: "Why?" }),
    comment({ line: 20, text: "Two\nlines", isDeleted: true, code: "a `b`" }),
    comment({}),
    comment({ line: null, code: "", text: "All of it." }),
  ]);
  expect(text).toBe(
    [
      "Please work on these comments on your changes:",
      "",
      "- app.py\n  All of it.",
      "- app.py:3 `x = 1`\n  Name it better.",
      "- app.py:20 (deleted line) `a 'b'`\n  Two\n  lines",
      "- b.py:1 `x = 1`\n  Why?",
      "",
    ].join("\n"),
  );
});

test("they are kept by this browser until they are taken back or sent", () => {
  const kept = () => recall<ReviewComment[]>("review.s", []);
  addComment("s", comment({ text: "one" }));
  addComment("s", comment({ text: "two" }));
  expect(kept().map(({ text }) => text)).toEqual(["one", "two"]);
  removeComment("s", kept()[0]?.id ?? "");
  expect(kept().map(({ text }) => text)).toEqual(["two"]);
  clearReview("s");
  expect(kept()).toEqual([]);
});

test("what another tab of this browser has collected is kept", () => {
  addComment("t", comment({ text: "here" }));
  const both = [...recall<ReviewComment[]>("review.t", []), comment({ id: "2", text: "there" })];
  remember("review.t", both);
  dispatchEvent(new StorageEvent("storage", { key: "openagent.review.t" }));
  addComment("t", comment({ text: "here again" }));
  expect(recall<ReviewComment[]>("review.t", []).map(({ text }) => text)).toEqual([
    "here",
    "there",
    "here again",
  ]);
});

test("whoever comes to this browser next finds none", () => {
  addComment("s", comment({}));
  forgetEverythingPersonal();
  expect(recall<ReviewComment[]>("review.s", [])).toEqual([]);
});
