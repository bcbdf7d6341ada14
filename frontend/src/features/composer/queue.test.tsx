// Changing a queued prompt: what was written is saved, or kept when the prompt leaves the queue first.
import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { createRef } from "react";
import { beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "@/lib/api/errors";
import type { Prompt } from "@/lib/api/types";
import { saveDraft, useDraft } from "@/lib/drafts";
import { Queue } from "./queue";

const { editPrompt, toast } = vi.hoisted(() => ({
  editPrompt: vi.fn<(session: string, id: string, text: string) => Promise<unknown>>(),
  toast: Object.assign(vi.fn(), { error: vi.fn() }),
}));
vi.mock("@/lib/api/sessions", async (original) => ({ ...(await original<object>()), editPrompt }));
vi.mock("sonner", () => ({ toast }));

const PROMPT = { id: "p1", text: "count to three", state: "queued" } as Prompt;
const composer = createRef<HTMLTextAreaElement>();

function Page({ prompts, onInterrupt = null }: { prompts: Prompt[]; onInterrupt?: (() => void) | null }) {
  return (
    <>
      <Queue session="s" prompts={prompts} composer={composer} onInterrupt={onInterrupt} />
      <textarea aria-label="Message" ref={composer} readOnly value={useDraft("s")} />
    </>
  );
}

function edit() {
  const { rerender } = render(<Page prompts={[PROMPT]} />);
  fireEvent.click(screen.getByLabelText("Edit queued prompt"));
  const editor = screen.getByLabelText<HTMLTextAreaElement>("Queued prompt");
  return {
    editor,
    write: (value: string) => fireEvent.change(editor, { target: { value } }),
    leave: () => rerender(<Page prompts={[]} />),
  };
}

beforeEach(() => {
  editPrompt.mockReset();
  toast.mockReset();
  toast.error.mockReset();
  saveDraft("s", "");
});

test("begins at the end of the prompt", () => {
  const { editor } = edit();
  expect(document.activeElement).toBe(editor);
  expect(editor.selectionStart).toBe(PROMPT.text.length);
});

test("the focus stays where somebody works meanwhile", () => {
  const { write, leave } = edit();
  write("count to four");
  const elsewhere = document.body.appendChild(document.createElement("input"));
  elsewhere.focus();
  leave();
  expect(composer.current?.value).toBe("count to four");
  expect(document.activeElement).toBe(elsewhere);
  elsewhere.remove();
});

test("a prompt that is sent under an open editor leaves what was written in the composer", () => {
  saveDraft("s", "begun");
  const { write, leave } = edit();
  write("count to four");
  leave();
  expect(composer.current?.value).toBe("begun\n\ncount to four");
  expect(document.activeElement).toBe(composer.current);
  expect(toast.mock.calls[0]?.[0]).toContain("Your changes are in the message box");
});

test("if nothing was changed only the focus goes there", () => {
  edit().leave();
  expect(composer.current?.value).toBe("");
  expect(document.activeElement).toBe(composer.current);
  expect(toast).not.toHaveBeenCalled();
});

test("what arrives in time is not kept a second time, although the prompt leaves before the answer", async () => {
  let arrive = (_: unknown) => {};
  editPrompt.mockReturnValue(new Promise((resolve) => (arrive = resolve)));
  const { write, leave } = edit();
  write("count to four");
  fireEvent.click(screen.getByText("Save"));
  leave();
  await act(async () => arrive({}));
  expect(editPrompt.mock.calls).toEqual([["s", "p1", "count to four"]]);
  expect(composer.current?.value).toBe("");
});

test.each([
  ["prompt_not_queued", "count to four", ""],
  ["unavailable", "", "count to four"],
])("refused with %s it is not lost", async (code, inComposer, inEditor) => {
  editPrompt.mockRejectedValue(new ApiError(409, code, "No.", {}));
  const { write } = edit();
  write("count to four");
  fireEvent.click(screen.getByText("Save"));
  await waitFor(() => expect(toast.mock.calls.length + toast.error.mock.calls.length).toBe(1));
  expect(composer.current?.value).toBe(inComposer);
  expect(screen.queryByLabelText<HTMLTextAreaElement>("Queued prompt")?.value ?? "").toBe(inEditor);
});

test("only the first that waits for the run can be sent by stopping it", () => {
  const stop = vi.fn();
  const timed = { ...PROMPT, id: "p0", due_at: "2030-01-01T00:00:00Z" };
  const prompts = [timed, PROMPT, { ...PROMPT, id: "p2" }];
  const { rerender } = render(<Page prompts={prompts} onInterrupt={stop} />);
  const [button, ...others] = screen.getAllByLabelText("Stop the run and send this now");
  expect(others).toEqual([]);
  expect(button?.closest("[data-prompt]")?.getAttribute("data-prompt")).toBe("p1");
  fireEvent.click(button as HTMLElement);
  expect(stop).toHaveBeenCalledTimes(1);
  rerender(<Page prompts={prompts} />);
  expect(screen.queryByLabelText("Stop the run and send this now")).toBeNull();
});
