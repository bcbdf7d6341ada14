// Esc closes the search of a terminal from wherever in it the focus is, and means nothing to the page.
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { FindBar } from "./find-bar";
import type { LiveTerminal } from "./live-terminal";

test.each(["Find in the terminal", "Before", "Close the search"])("Esc on %s closes it", (label) => {
  const focus = vi.fn();
  const search = { onDidChangeResults: () => ({ dispose: () => {} }), clearDecorations: () => {} };
  const xterm = { clearSelection: vi.fn() };
  const onClose = vi.fn();
  render(<FindBar live={{ search, focus, xterm } as unknown as LiveTerminal} onClose={onClose} />);
  // False: it was prevented.
  expect(fireEvent.keyDown(screen.getByLabelText(label), { key: "Escape" })).toBe(false);
  expect(onClose).toHaveBeenCalledOnce();
  expect(focus).toHaveBeenCalledOnce();
});
