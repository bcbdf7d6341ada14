// What is said of a terminal that is over, and that a recorded one says so.
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { createStore } from "zustand";
import { EndBar, NothingKept } from "./end-bar";
import type { LiveTerminal } from "./live-terminal";
import { Company } from "./state-bar";

function over(reason: string, offset: number, more: object = {}): LiveTerminal {
  const exit = { type: "exit", offset, reason, exit_code: null, message: "" };
  const state = { connection: { state: "exited", exit, isCut: false }, viewers: null, size: null, ...more };
  return { store: createStore(() => state) } as unknown as LiveTerminal;
}

test("of a lost terminal of which nothing is left it is said why the screen is empty", () => {
  const { rerender } = render(<NothingKept live={over("lost", 0)} />);
  expect(screen.getByTestId("terminal-nothing-kept").textContent).toContain("the box was lost before");
  for (const live of [over("lost", 7), over("stopped", 0), over("exited", 0)]) {
    rerender(<NothingKept live={live} />);
    expect(screen.queryByTestId("terminal-nothing-kept")).toBeNull();
  }
});

test("what is left of a lost one is not taken for the whole", () => {
  render(<EndBar live={over("lost", 7)} onNew={() => {}} onRemove={() => {}} />);
  expect(screen.getByRole("status").textContent).toContain("what is left of it");
});

test("a recorded terminal says so, another one says nothing", () => {
  const { rerender } = render(<Company live={over("exited", 7, { isRecording: false })} />);
  expect(screen.queryByText("Recorded")).toBeNull();
  rerender(<Company live={over("exited", 7, { isRecording: true })} />);
  expect(screen.getByText("Recorded")).toBeTruthy();
});
