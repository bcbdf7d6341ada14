// Line numbers of a diff: both columns where both files have lines, one where there is only one file.
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { DiffView } from "./diff-view";

test.each([
  ["of a new file", "@@ -0,0 +1,2 @@\n+one\n+two\n", ["", "1", "2"]],
  ["of a deleted file", "@@ -1,2 +0,0 @@\n-one\n-two\n", ["", "1", "2"]],
  ["of a change", "@@ -1,2 +1,2 @@\n one\n-two\n+2\n", ["", "", "1", "1", "2", "", "", "2"]],
])("the numbers %s", (_, patch, numbers) => {
  render(<DiffView patch={patch} path="app.py" />);
  expect(screen.getAllByTestId("line-number").map((number) => number.textContent)).toEqual(numbers);
});
