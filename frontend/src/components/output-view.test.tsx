// A tool's output: the last ten lines, all of them on request, and no control sequences.
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";
import { OutputView, plainOutput } from "./output-view";

const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}`).join("\n");

describe("OutputView", () => {
  test("shows short output whole", () => {
    render(<OutputView output={lines(10)} omitted={0} />);
    expect(screen.getByTestId("tool-output").textContent).toBe(lines(10));
  });

  test("shows the last ten lines of long output, and all of it on request", async () => {
    render(<OutputView output={lines(24)} omitted={0} />);
    const output = screen.getByTestId("tool-output");
    expect(output.querySelector("pre")?.textContent).toBe(lines(24).split("\n").slice(14).join("\n"));
    await userEvent.click(screen.getByRole("button", { name: "Show all" }));
    expect(output.querySelector("pre")?.textContent).toBe(lines(24));
  });

  test("says how much was left out", () => {
    render(<OutputView output="rest" omitted={1234} />);
    expect(screen.getByText(`${(1234).toLocaleString()} characters left out`)).toBeTruthy();
  });

  test("says that the beginning is missing, also while only the last lines show", () => {
    render(<OutputView output={lines(24)} omitted={0} hasGap />);
    expect(screen.getByTestId("tool-output").textContent).toContain(
      "Last 10 of 24 lines(the beginning was left out by the agent)",
    );
  });
});

test.each([
  ["\u001b[31mred\u001b[0m", "red"],
  ["\u001b]0;title\u0007text", "text"],
  ["10 %\r50 %\r100 %\nnext", "100 %\nnext"],
  ["windows\r\nlines\r\n", "windows\nlines\n"],
  ["bell\u0007 and null\u0000", "bell and null"],
  ["tab\tstays", "tab\tstays"],
])("plainOutput(%j)", (raw, plain) => {
  expect(plainOutput(raw)).toBe(plain);
});
