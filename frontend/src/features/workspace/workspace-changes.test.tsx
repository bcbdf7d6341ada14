// The review of all changes: listed in folders, opened, marked as seen, gone through by keys, reverted and had back.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { Toaster } from "sonner";
import { beforeEach, expect, test, vi } from "vitest";
import type { ChangedFile, ChangeList } from "@/lib/api/types";
import { setPreference } from "@/lib/preferences";
import { WorkspaceChanges } from "./workspace-changes";

const { get, post } = vi.hoisted(() => ({ get: vi.fn(), post: vi.fn() }));
vi.mock("@/lib/api/client", async (original) => ({
  ...(await original<object>()),
  api: { GET: get, POST: post },
}));
vi.stubGlobal(
  "ResizeObserver",
  class {
    observe(): void {}
    disconnect(): void {}
  },
);

const file = (path: string, fields: Partial<ChangedFile> = {}): ChangedFile => ({
  path,
  old_path: "",
  status: "modified",
  kind: "file",
  version: "1",
  additions: 1,
  deletions: 1,
  binary: false,
  ...fields,
});
const PATCH = "@@ -1,2 +1,2 @@\n one\n-two\n+2\n@@ -9 +9 @@\n-nine\n+9\n";

let session = "";
let last = 0;
beforeEach(() => {
  session = `w${++last}`;
  setPreference({ singleKeys: true });
});

const answer = (data: object) => ({ data, response: Response.json({}) });

async function show(files: ChangedFile[], fields: Partial<ChangeList> = {}) {
  get.mockImplementation((path: string) =>
    Promise.resolve(
      path.endsWith("/diff/")
        ? answer({ path: "", patch: PATCH, truncated: false })
        : answer({ base: "start", since: null, files, total: files.length, unread: 0, ...fields }),
    ),
  );
  const client = new QueryClient({ defaultOptions: { queries: { retryDelay: 0 } } });
  render(
    <QueryClientProvider client={client}>
      <WorkspaceChanges session={session} base="start" changes={0} onOpenFile={() => {}} />
      <Toaster />
    </QueryClientProvider>,
  );
  if (files.length) await screen.findAllByTestId("changed-file");
  return userEvent.setup();
}

const row = (path: string) =>
  document.querySelector<HTMLElement>(`[data-path="${path}"] [data-review-file]`) as HTMLElement;

test("files stand below their folders and are counted", async () => {
  await show([file("src/a.py"), file("src/b.py", { additions: 4 }), file("top.txt")], {
    total: 9,
    unread: 2,
  });
  expect(screen.getByText("src/")).toBeDefined();
  expect(screen.getByTestId("changes-summary").textContent).toBe(
    "9 files +6 −3; the first 3 are listed; 2 could not be read",
  );
});

test("keys go from file to file and from change to change, and mark as viewed", async () => {
  const user = await show([file("a.py"), file("b.py")]);
  row("a.py").focus();
  await user.keyboard("j");
  expect(document.activeElement).toBe(row("b.py"));
  await user.keyboard("{Enter}");
  await screen.findByTestId("diff");
  await user.keyboard("n");
  expect(document.activeElement?.textContent).toBe("@@ -1,2 +1,2 @@");
  await user.keyboard("n");
  expect(document.activeElement?.textContent).toBe("@@ -9 +9 @@");
  await user.keyboard("c");
  expect(screen.getByLabelText(/^Comment on deleted line 9 of b\.py$/)).toBe(document.activeElement);
  await user.keyboard("jv{Escape}");
  expect(document.activeElement?.textContent).toBe("@@ -9 +9 @@");
  await user.keyboard("cNine?{Control>}{Enter}{/Control}");
  expect(screen.getByTestId("line-comment").textContent).toBe("Nine?");
  expect(document.activeElement?.textContent).toBe("@@ -9 +9 @@");
  row("b.py").focus();
  await user.keyboard("v");
  expect(screen.queryByTestId("diff")).toBeNull();
  expect(screen.getByTestId("changes-summary").textContent).toContain("1 viewed");
});

test("keys work when nothing has the focus, and the next change may be in a file that is closed", async () => {
  const user = await show([file("a.py"), file("b.py"), file("c.py")]);
  await user.keyboard("j");
  expect(document.activeElement).toBe(row("a.py"));
  await user.keyboard("n");
  expect(document.activeElement).toBe(row("a.py"));
  await screen.findByTestId("diff");
  await user.keyboard("nnn");
  expect(document.activeElement).toBe(row("b.py"));
  await waitFor(() => expect(screen.getAllByTestId("diff")).toHaveLength(2));
  row("c.py").focus();
  await user.keyboard("v");
  row("b.py").focus();
  await user.keyboard("nnn");
  expect(document.activeElement?.textContent).toBe("@@ -9 +9 @@");
});

test("single keys can be switched off", async () => {
  const user = await show([file("a.py"), file("b.py")]);
  setPreference({ singleKeys: false });
  row("a.py").focus();
  await user.keyboard("j");
  expect(document.activeElement).toBe(row("a.py"));
});

test("a file is reverted after a question, and had back", async () => {
  const user = await show([file("new.py", { status: "added", old_path: "" })]);
  post.mockResolvedValue(answer({ path: "new.py", undo: "f".repeat(40) }));
  await user.click(screen.getByRole("button", { name: "More about new.py" }));
  await user.click(await screen.findByRole("menuitem", { name: "Revert…" }));
  expect(post).not.toHaveBeenCalled();
  await user.click(await screen.findByRole("button", { name: "Revert" }));
  await waitFor(() => expect(post.mock.lastCall?.[1].body.base).toBe("start"));
  // With a pointer sonner asks for what this browser does not have.
  fireEvent.click(await screen.findByRole("button", { name: "Undo" }));
  await waitFor(() =>
    expect(post.mock.lastCall?.[1].body).toEqual({ base: "f".repeat(40), path: "new.py", old_path: "" }),
  );
  // Toasts are shown by whatever test comes next.
  await waitFor(() => expect(screen.queryByRole("button", { name: "Undo" })).toBeNull());
});

test("a patch is copied as it is", async () => {
  const user = await show([file("a.py")]);
  const copy = async () => {
    await user.click(screen.getByRole("button", { name: "More about a.py" }));
    await user.click(await screen.findByRole("menuitem", { name: "Copy the patch" }));
  };
  await copy();
  await waitFor(async () => expect(await navigator.clipboard.readText()).toBe(PATCH));
  expect(get.mock.lastCall?.[1].params.query).toMatchObject({ path: "a.py", ignore_space: false });
});

test("what cannot be told is said in words", async () => {
  get.mockResolvedValue({
    error: { code: "unavailable", detail: "Not available in this session." },
    response: Response.json({}, { status: 409 }),
  });
  render(
    <QueryClientProvider client={new QueryClient()}>
      <WorkspaceChanges session={session} base="turn" changes={0} onOpenFile={() => {}} />
    </QueryClientProvider>,
  );
  expect(await screen.findByText("Not available in this session.")).toBeDefined();
});
