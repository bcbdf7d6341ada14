// The button and Esc close the search of a terminal from wherever in it the focus is, and means nothing to the page.
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { FindBar } from "./find-bar";
import type { LiveTerminal } from "./live-terminal";

function show() {
  const focus = vi.fn();
  const search = { onDidChangeResults: () => ({ dispose: () => {} }), clearDecorations: () => {} };
  const xterm = { clearSelection: vi.fn() };
  const onClose = vi.fn();
  render(<FindBar live={{ search, focus, xterm } as unknown as LiveTerminal} onClose={onClose} />);
  return () => {
    expect(onClose).toHaveBeenCalledOnce();
    expect(focus).toHaveBeenCalledOnce();
  };
}

test.each(["Find in the terminal", "Previous match", "Next match", "Close the search"])(
  "Esc on %s closes it",
  (label) => {
    const isClosed = show();
    // False: it was prevented.
    expect(fireEvent.keyDown(screen.getByLabelText(label), { key: "Escape" })).toBe(false);
    isClosed();
  },
);

test("its button closes it, and the focus goes back to the terminal", () => {
  const isClosed = show();
  fireEvent.click(screen.getByLabelText("Close the search"));
  isClosed();
});
