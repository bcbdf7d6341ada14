// Writing a prompt: keys, input methods, drafts, history, completions.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createRef } from "react";
import { describe, expect, test, vi } from "vitest";
import { setPreference } from "@/lib/preferences";
import { Composer } from "./composer";
import { matching, tokenAt } from "./use-completions";

let sessions = 0;

function show({ isRunning = false } = {}) {
  sessions += 1;
  const session = `s${sessions}`;
  const spies = { onSend: vi.fn(), onStop: vi.fn(), onMode: vi.fn() };
  const element = (id: string) => (
    <QueryClientProvider client={new QueryClient()}>
      <Composer
        session={id}
        placeholder="Message…"
        isRunning={isRunning}
        isStopping={false}
        mode="ask"
        history={["first", "second"]}
        commands={["init", "review"]}
        canListFiles={false}
        inputRef={createRef()}
        controls={null}
        {...spies}
      />
    </QueryClientProvider>
  );
  const { rerender } = render(element(session));
  const input = screen.getByTestId<HTMLTextAreaElement>("composer");
  return { ...spies, session, input, switchTo: (id: string) => rerender(element(id)) };
}

describe("Composer", () => {
  test("Enter sends and empties, Shift+Enter makes a line", async () => {
    const { input, onSend } = show();
    await userEvent.type(input, "one{Shift>}{Enter}{/Shift}two");
    expect(onSend).not.toHaveBeenCalled();
    await userEvent.keyboard("{Enter}");
    expect(onSend.mock.calls).toEqual([["one\ntwo"]]);
    expect(input.value).toBe("");
  });

  test("on a touch screen Enter makes a line: its keyboard has no other way to", async () => {
    const touch = (media: string) =>
      Object.assign(new EventTarget(), { media, matches: media.includes("coarse") });
    vi.spyOn(window, "matchMedia").mockImplementation(touch as typeof window.matchMedia);
    const { input, onSend } = show();
    await userEvent.type(input, "one{Enter}two");
    expect(onSend).not.toHaveBeenCalled();
    await userEvent.click(screen.getByTestId("send"));
    expect(onSend.mock.calls).toEqual([["one\ntwo"]]);
    vi.mocked(window.matchMedia).mockRestore();
  });

  test("does not send what is only white space", async () => {
    const { input, onSend } = show();
    await userEvent.type(input, "  {Enter}");
    expect(onSend).not.toHaveBeenCalled();
    expect(screen.getByTestId<HTMLButtonElement>("send").disabled).toBe(true);
  });

  test("never sends while an input method composes", () => {
    const { input, onSend } = show();
    fireEvent.change(input, { target: { value: "にほん" } });
    fireEvent.keyDown(input, { key: "Enter", isComposing: true });
    fireEvent.keyDown(input, { key: "Enter", keyCode: 229 });
    expect(onSend).not.toHaveBeenCalled();
  });

  test("keeps a draft for each session", async () => {
    const { session, input, switchTo } = show();
    await userEvent.type(input, "for the first");
    switchTo("another");
    expect(input.value).toBe("");
    switchTo(session);
    expect(input.value).toBe("for the first");
  });

  test("Up goes back through earlier prompts when it is empty, Down forth", async () => {
    const { input } = show();
    input.focus();
    const values = [];
    for (const key of ["{ArrowUp}", "{ArrowUp}", "{ArrowUp}", "{ArrowDown}", "{ArrowDown}"]) {
      await userEvent.keyboard(key);
      values.push(input.value);
    }
    expect(values).toEqual(["second", "first", "first", "second", ""]);
  });

  test("Up moves the caret when something is written", async () => {
    const { input } = show();
    await userEvent.type(input, "text{ArrowUp}");
    expect(input.value).toBe("text");
  });

  test("Shift+Tab changes the mode only when that was switched on", async () => {
    const { input, onMode } = show();
    input.focus();
    await userEvent.tab({ shift: true });
    expect(onMode).not.toHaveBeenCalled();
    act(() => setPreference({ shiftTabMode: true }));
    input.focus();
    await userEvent.keyboard("{Shift>}{Tab}{/Shift}");
    expect(onMode.mock.calls).toEqual([["accept_edits"]]);
    act(() => setPreference({ shiftTabMode: false }));
  });

  test("completes commands, and Enter then chooses instead of sending", async () => {
    const { input, onSend } = show();
    await userEvent.type(input, "/re");
    expect(screen.getByRole("option").textContent).toBe("/review");
    await userEvent.keyboard("{Enter}");
    expect(input.value).toBe("/review ");
    expect(onSend).not.toHaveBeenCalled();
  });

  test("Escape closes the completions and leaves the text", async () => {
    const { input } = show();
    await userEvent.type(input, "/{Escape}");
    expect(screen.queryByRole("listbox")).toBeNull();
    expect(input.value).toBe("/");
  });

  test("offers to stop while something runs, until that is on its way", async () => {
    const { onStop } = show({ isRunning: true });
    await userEvent.click(screen.getByTestId("stop"));
    expect(onStop).toHaveBeenCalledTimes(1);
  });
});

test.each([
  ["/in", 3, { kind: "command", start: 0, end: 3, query: "in" }],
  ["see @src/a", 10, { kind: "file", start: 4, end: 10, query: "src/a" }],
  ["@", 1, { kind: "file", start: 0, end: 1, query: "" }],
  ["mail a@b.example", 16, null],
  ["/demo question", 14, null],
  ["not /a command", 6, null],
])("tokenAt(%j, %i)", (text, caret, token) => {
  expect(tokenAt(text, caret)).toEqual(token);
});

test("files that people make are offered before those that programs make", () => {
  const names = [".git", "__pycache__", "app.py", "with space", "tests"];
  const offered = matching(
    names.map((name) => ({ name })),
    "",
  );
  expect(offered.map((entry) => entry.name)).toEqual(["app.py", "tests", ".git", "__pycache__"]);
  expect(matching([{ name: "App.py" }, { name: "b" }], "app")).toEqual([{ name: "App.py" }]);
});
