// Line numbers of a diff: both columns where both files have lines, one where there is only one file; and side by side.
import { act, fireEvent, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { DiffView } from "./diff-view";

test.each([
  ["of a new file", "@@ -0,0 +1,2 @@\n+one\n+two\n", ["", "1", "2"]],
  ["of a deleted file", "@@ -1,2 +0,0 @@\n-one\n-two\n", ["", "1", "2"]],
  ["of a change", "@@ -1,2 +1,2 @@\n one\n-two\n+2\n", ["", "", "1", "1", "2", "", "", "2"]],
])("the numbers %s", (_, patch, numbers) => {
  render(<DiffView patch={patch} path="app.py" />);
  expect(screen.getAllByTestId("line-number").map((number) => number.textContent)).toEqual(numbers);
});

test("side by side each file has its own numbers, and each line one place to write at", () => {
  const onWrite = vi.fn();
  const notes = { onWrite, below: (index: number) => (index === 2 ? "a comment" : null) };
  const patch = "@@ -1,2 +1,2 @@\n one\n-two\n+2\n";
  render(<DiffView patch={patch} path="app.py" notes={notes} isSplit />);
  expect(screen.getAllByTestId("line-number").map(({ textContent }) => textContent)).toEqual([
    "1",
    "1",
    "2",
    "2",
  ]);
  expect(screen.getByText("a comment")).toBeTruthy();
  const places = screen.getAllByTestId("comment-on-line");
  for (const place of places) fireEvent.click(place);
  expect(onWrite.mock.calls.map(([, index]) => index)).toEqual([1, 2, 3]);
});

test("a line that somebody wrote at is shown, however far down it is", () => {
  const patch = [
    "@@ -0,0 +1,300 @@",
    ...Array.from({ length: 300 }, (_, index) => `+line ${index + 1}.`),
  ].join("\n");
  const notes = { onWrite: () => {}, below: (index: number) => (index === 280 ? "Why?" : null) };
  render(<DiffView patch={patch} path="a.py" notes={notes} />);
  expect(screen.getByText("Why?")).toBeTruthy();
  expect(screen.queryByRole("button", { name: /Show all/ })).toBeNull();
});

test.each([false, true])("a line that is touched is the one whose button can be; split: %s", (isSplit) => {
  const notes = { onWrite: () => {}, below: () => null };
  render(<DiffView patch={"@@ -1 +1,2 @@\n one\n+2\n"} path="app.py" notes={notes} isSplit={isSplit} />);
  const stops = () => screen.getAllByTestId("comment-on-line").map(({ tabIndex }) => tabIndex);
  fireEvent.click(screen.getByText("2", { selector: "span.whitespace-pre, span.whitespace-pre-wrap" }));
  expect(stops()).toEqual([-1, 0]);
  fireEvent.click(screen.getByText("@@ -1 +1,2 @@"));
  expect(stops()).toEqual([-1, 0]);
});

test.each([false, true])(
  "Tab comes to one button of a diff, and the arrows to the others; split: %s",
  (isSplit) => {
    const patch = "@@ -1,2 +1,2 @@\n one\n-two\n+2\n";
    const notes = { onWrite: () => {}, below: () => null };
    render(<DiffView patch={patch} path="app.py" notes={notes} isSplit={isSplit} />);
    const buttons = screen.getAllByTestId("comment-on-line");
    const stops = () => buttons.map(({ tabIndex }) => tabIndex);
    expect(stops()).toEqual([0, -1, -1]);
    act(() => buttons[0]?.focus());
    for (const key of ["ArrowUp", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp"])
      fireEvent.keyDown(document.activeElement ?? document.body, { key });
    expect(document.activeElement).toBe(buttons[1]);
    expect(stops()).toEqual([-1, 0, -1]);
  },
);
