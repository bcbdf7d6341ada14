// Every line of a file has an address; the one of this page's address is marked.
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { LineNumbers, MarkedLine } from "./file-lines";

const addressOf = (line: number) => `?line=${line}`;

function show(line: number | null, count = 3) {
  const onLine = vi.fn();
  render(
    <>
      <MarkedLine line={line} />
      <LineNumbers count={count} place={{ line, addressOf, onLine }} />
    </>,
  );
  return onLine;
}

test("a number is an address, and a click on it stays on this page", () => {
  const onLine = show(null);
  const second = screen.getByRole("link", { name: "Line 2" });
  expect(second.getAttribute("href")).toBe("?line=2");
  expect(fireEvent.click(second)).toBe(false);
  expect(onLine).toHaveBeenCalledExactlyOnceWith(2);
  expect(screen.queryByTestId("marked-line")).toBeNull();
});

test("the line of the address is marked, and the keyboard comes to it", () => {
  show(3);
  const third = screen.getByRole("link", { name: "Line 3" });
  expect(third.getAttribute("aria-current")).toBe("location");
  expect(screen.getByTestId("marked-line").style.top).toBe("40px");
  expect([third.tabIndex, screen.getByRole("link", { name: "Line 1" }).tabIndex]).toEqual([0, -1]);
  third.focus();
  fireEvent.keyDown(third, { key: "ArrowUp" });
  expect(document.activeElement).toBe(screen.getByRole("link", { name: "Line 2" }));
});

test("a file with very many lines has numbers only", () => {
  show(null, 5001);
  expect(screen.queryByRole("link")).toBeNull();
  expect(document.body.textContent).toContain("5001");
});
