// A tool's output: the last ten lines, all of them on request, and no control sequences.
import { readFileSync } from "node:fs";
import path from "node:path";
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

const CORPUS = path.resolve(import.meta.dirname, "../../../tests/fixtures/terminals/hostile.json");

test("of hostile sequences nothing is left but what stands between them", () => {
  const { queries, actions } = JSON.parse(readFileSync(CORPUS, "utf8")) as Record<string, string[]>;
  for (const sequence of [...(queries ?? []), ...(actions ?? [])]) {
    const shown = plainOutput(`before\n${sequence}\nafter`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(shown).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    expect(shown).toMatch(/^before\n[\s\S]*\nafter$/);
  }
});

test.each([
  ["\u001b[31mred\u001b[0m", "red"],
  ["\u001b]0;title\u0007text", "text"],
  ["10 %\r50 %\r100 %\nnext", "100 %\nnext"],
  ["windows\r\nlines\r\n", "windows\nlines\n"],
  ["bell\u0007 and null\u0000", "bell and null"],
  ["tab\tstays", "tab\tstays"],
  ["\u009b31mred\u009b0m and \u0085", "red and "],
  ["\u001b]52;c;c2VjcmV0 is not ended\nnext", "\nnext"],
  ["\u001bPq#0;2;0;0;0\u001b\\after", "after"],
  ["\u001b(Bcharset\u001b", "charset"],
])("plainOutput(%j)", (raw, plain) => {
  expect(plainOutput(raw)).toBe(plain);
});
