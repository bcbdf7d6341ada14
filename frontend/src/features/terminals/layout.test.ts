// Tabs and panes.
import { expect, test } from "vitest";
import { arranged, moved, neighbourOf, separated, splitBeside } from "./layout";

test("what is gone is taken out, what is new gets a tab at the end", () => {
  expect(arranged([["b"], ["gone"], ["a", "old"]], ["a", "b", "c"])).toEqual([["b"], ["a"], ["c"]]);
  expect(arranged([], ["a"])).toEqual([["a"]]);
});

test("a split goes beside the pane, and into a tab of its own when there is no room", () => {
  expect(splitBeside([["a", "b"]], "a", "c")).toEqual([["a", "c", "b"]]);
  expect(splitBeside([["a", "b"], ["c"]], "b", "c")).toEqual([["a", "b", "c"]]);
  expect(splitBeside([["a", "b", "c"]], "a", "d")).toEqual([["a", "b", "c"], ["d"]]);
});

test("a pane becomes a tab again", () => {
  expect(separated([["a", "b"], ["c"]], "a")).toEqual([["b"], ["a"], ["c"]]);
  expect(separated([["a"]], "a")).toEqual([["a"]]);
});

test("tabs are moved, never beyond the ends", () => {
  const layout = [["a"], ["b"], ["c"]];
  expect(moved(layout, 0, 2)).toEqual([["b"], ["c"], ["a"]]);
  expect(moved(layout, 2, -5)).toEqual([["c"], ["a"], ["b"]]);
  expect(moved(layout, 1, 1)).toBe(layout);
});

test("whoever goes leaves the place to a neighbour", () => {
  const layout = [["a", "b"], ["c"]];
  expect(neighbourOf(layout, "a")).toBe("b");
  expect(neighbourOf(layout, "b")).toBe("a");
  expect(neighbourOf(layout, "c")).toBe("a");
  expect(neighbourOf([["a"]], "a")).toBeUndefined();
});
