// What is half-written at the lines of the changes survives whatever hides it; comments are never out of reach.
import { fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { Toaster } from "sonner";
import { beforeEach, expect, test, vi } from "vitest";
import { forgetEverythingPersonal, recall } from "@/lib/storage";
import type { ChangedFile } from "./changes";
import { ChangesPanel } from "./changes-panel";
import { addComment } from "./review";

const PATCH = "@@ -1,2 +1,2 @@\n one\n-two\n+2\n";
const FILE: ChangedFile = {
  path: "app.py",
  edits: [{ seq: 4, diff: { path: "app.py", patch: PATCH, additions: 1, deletions: 1 } }],
  additions: 1,
  deletions: 1,
} as ChangedFile;

vi.stubGlobal(
  "ResizeObserver",
  class {
    observe(): void {}
    disconnect(): void {}
  },
);

let session = "";
let last = 0;
beforeEach(() => {
  session = `s${++last}`;
});

const show = (files = [FILE]) =>
  render(<ChangesPanel session={session} files={files} onOpenFile={() => {}} onSendToAgent={() => {}} />);
const file = () => screen.getByRole("button", { name: /^app\.py/ });
const write = (line: string) => fireEvent.click(screen.getByRole("button", { name: `Comment on ${line}` }));
const field = (line: string) => screen.getByLabelText<HTMLTextAreaElement>(`Comment on ${line} of app.py`);
const type = (line: string, value: string) => fireEvent.change(field(line), { target: { value } });

const hidings: [string, () => void][] = [
  ["the button of another line", () => write("line 1")],
  [
    "its file was collapsed",
    () => {
      fireEvent.click(file());
      fireEvent.click(file());
    },
  ],
];

test.each(hidings)("it is still there after %s", (_, hide) => {
  show();
  fireEvent.click(file());
  write("deleted line 2");
  type("deleted line 2", "Why did");
  hide();
  expect(field("deleted line 2").value).toBe("Why did");
});

test("it is there when the panel is shown again, and is of the line that it was begun at", () => {
  const { unmount } = show();
  fireEvent.click(file());
  write("line 2");
  type("line 2", "Use words.");
  unmount();
  show();
  fireEvent.click(screen.getByRole("button", { name: "Add comment" }));
  expect(screen.getByTestId("line-comment").textContent).toBe("Use words.");
  expect(screen.queryByTestId("comment-field")).toBeNull();
  expect(recall(`review.${session}`, [])).toMatchObject([{ line: 2, isDeleted: false, code: "2" }]);
  expect(recall(`draft.review.${session}`, null)).toBeNull();
});

test("a field in which nothing was written goes when another is opened", () => {
  show();
  fireEvent.click(file());
  write("line 1");
  write("line 2");
  expect(screen.getAllByTestId("comment-field")).toEqual([field("line 2")]);
});

test("whoever comes to this browser next finds nothing half-written", () => {
  show();
  fireEvent.click(file());
  write("line 1");
  type("line 1", "Mine");
  expect(recall(`draft.review.${session}`, null)).not.toBeNull();
  forgetEverythingPersonal();
  expect(recall(`draft.review.${session}`, null)).toBeNull();
});

const COMMENT = {
  place: "app.py#4.0.1",
  path: "app.py",
  line: 1,
  isDeleted: false,
  code: "one",
  text: "No.",
};

test("a collapsed file says how many comments it has", () => {
  addComment(session, COMMENT);
  show();
  expect(file().textContent).toContain("1 comment");
});

test("comments can be sent or discarded when no file is listed", () => {
  addComment(session, COMMENT);
  show([]);
  expect(screen.getByTestId("review-bar").textContent).toContain("1 comment");
});

test("what was discarded can be had back", async () => {
  addComment(session, COMMENT);
  show();
  render(<Toaster />);
  fireEvent.click(screen.getByRole("button", { name: "Discard" }));
  expect(screen.queryByTestId("review-bar")).toBeNull();
  fireEvent.click(await screen.findByRole("button", { name: "Undo" }));
  expect(screen.getByTestId("review-bar").textContent).toContain("1 comment");
});

test("the keys of a review go through the agent's own edits, too", async () => {
  const user = userEvent.setup();
  show();
  await user.keyboard("j");
  expect(document.activeElement).toBe(file());
  await user.keyboard("nn");
  expect(document.activeElement?.textContent).toBe("@@ -1,2 +1,2 @@");
  await user.keyboard("c");
  expect(document.activeElement).toBe(field("line 1"));
});
