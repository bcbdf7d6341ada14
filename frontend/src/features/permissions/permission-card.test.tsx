// The card that everything depends on: exact words, no default, first answer wins, and both ways to refuse.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { ApiError } from "@/lib/api/errors";
import type { PermissionAnswer } from "@/lib/api/types";
import { showComposer } from "@/lib/composer-place";
import { setPreference } from "@/lib/preferences";
import type { Ask } from "./ask";
import { PermissionCard } from "./permission-card";

const { answerPermission, toast } = vi.hoisted(() => ({
  answerPermission: vi.fn<(id: string, body: PermissionAnswer) => Promise<unknown>>(),
  toast: Object.assign(vi.fn(), { error: vi.fn() }),
}));
vi.mock("@/lib/api/permissions", async (original) => ({ ...(await original<object>()), answerPermission }));
vi.mock("sonner", () => ({ toast }));

const ASK: Ask = {
  id: "p1",
  type: "tool",
  title: "Push the branch",
  command: "git push origin fix/login",
  cwd: "/workspace",
  path: "",
  diff: "",
  host: "",
  rule: "bash: git push *",
  questions: [],
  state: "pending",
  choice: "",
  by: "",
  user: "",
  message: "",
  answers: [],
};

function show(ask: Partial<Ask> = {}) {
  const client = new QueryClient();
  const page = (now: Partial<Ask>) => (
    <QueryClientProvider client={client}>
      <PermissionCard ask={{ ...ASK, ...ask, ...now }} agent="OpenCode" me="Alice" />
      <textarea ref={(element) => (element ? showComposer(element) : undefined)} />
    </QueryClientProvider>
  );
  const { rerender } = render(page({}));
  return (now: Partial<Ask>) => rerender(page(now));
}

const question = {
  type: "question" as const,
  command: "",
  questions: [
    { question: "Which one?", options: [{ label: "red" }, { label: "blue" }], custom: true },
    { question: "Which extras?", options: [{ label: "a" }, { label: "b" }], multiple: true, custom: false },
  ],
};

beforeEach(() => {
  answerPermission.mockReset().mockResolvedValue({});
  toast.mockReset();
  setPreference({ singleKeys: true });
});

describe("a permission", () => {
  test("shows the exact command, where it runs, and the rule, and gives no answer the focus", () => {
    show();
    expect(screen.getByTestId("permission-exact").textContent).toBe("git push origin fix/login");
    expect(screen.getByText("/workspace")).toBeTruthy();
    expect(screen.getByText("bash: git push *")).toBeTruthy();
    expect(document.activeElement).toBe(document.body);
  });

  test.each([
    ["permission-once", { choice: "once" }],
    ["permission-session", { choice: "session" }],
  ] as const)("%s sends its choice, once", async (button, body) => {
    show();
    await userEvent.dblClick(screen.getByTestId(button));
    expect(answerPermission.mock.calls).toEqual([["p1", body]]);
  });

  test("is rejected with a message", async () => {
    show();
    await userEvent.click(screen.getByTestId("permission-reject"));
    expect(answerPermission).not.toHaveBeenCalled();
    await userEvent.type(screen.getByTestId("permission-message"), "only run the tests, y and n are letters");
    await userEvent.click(screen.getByTestId("permission-reject-confirm"));
    expect(answerPermission.mock.calls).toEqual([
      ["p1", { choice: "reject", message: "only run the tests, y and n are letters" }],
    ]);
  });

  test("y and n work only while the card has the focus, and can be switched off", async () => {
    show();
    await userEvent.keyboard("y");
    expect(answerPermission).not.toHaveBeenCalled();
    setPreference({ singleKeys: false });
    screen.getByTestId("permission-card").focus();
    await userEvent.keyboard("y");
    expect(answerPermission).not.toHaveBeenCalled();
    setPreference({ singleKeys: true });
    await userEvent.keyboard("y");
    expect(answerPermission.mock.calls).toEqual([["p1", { choice: "once" }]]);
  });

  test("keeps the focus until it is answered; then it goes to where the next words are written", async () => {
    const change = show();
    screen.getByTestId("permission-once").focus();
    await userEvent.keyboard("n{Escape}");
    expect(document.activeElement).toBe(screen.getByTestId("permission-card"));
    await userEvent.keyboard("y");
    expect(document.activeElement).toBe(screen.getByTestId("permission-card"));
    change({ state: "answered", choice: "once", by: "user", user: "Alice" });
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole("textbox")));
  });

  test("takes the focus from nobody when it is answered elsewhere", async () => {
    const change = show();
    change({ state: "answered", choice: "once", by: "user", user: "Bob" });
    await Promise.resolve();
    expect(document.activeElement).toBe(document.body);
  });

  test("tells who was first when the answer came too late, and can be tried again after other errors", async () => {
    const late = { choice: "reject", answered_by: { id: "2", name: "Bob" } };
    answerPermission.mockRejectedValueOnce(
      new ApiError(409, "already_answered", "This was answered already.", late),
    );
    show();
    await userEvent.click(screen.getByTestId("permission-once"));
    await waitFor(() => expect(toast).toHaveBeenCalledWith("Bob was first: Rejected"));
    await userEvent.click(screen.getByTestId("permission-once"));
    expect(answerPermission).toHaveBeenCalledTimes(2);
  });

  test.each([
    [{ state: "answered", choice: "session", by: "user", user: "Bob" }, "Allowed for this session by Bob"],
    [{ state: "answered", choice: "reject", by: "user", user: "Alice" }, "Rejected by you"],
    [{ state: "answered", choice: "once", by: "box" }, "Allowed once by the box itself, not by a person"],
    [{ state: "lost" }, "No longer needed: the turn ended before an answer had reached the agent"],
  ] as const)("when it is over says how: %j", (over, words) => {
    show(over);
    expect(screen.getByTestId("permission-outcome").textContent).toBe(words);
    expect(screen.queryByTestId("permission-once")).toBeNull();
  });
});

test("beside its call it says how it ended, not again what it was", () => {
  const over = { ...ASK, state: "answered", choice: "once", by: "user", user: "Bob" } as const;
  render(
    <QueryClientProvider client={new QueryClient()}>
      <PermissionCard ask={over} agent="OpenCode" me="Alice" isBesideCall />
    </QueryClientProvider>,
  );
  expect(screen.getByTestId("permission-card").textContent).toBe("Allowed once by Bob");
});

describe("a host", () => {
  const host = {
    type: "egress",
    command: "",
    cwd: "",
    rule: "a.example",
    host: "a.example:443",
    title: "It wants to reach a.example",
  } as const;

  test("is named, with what each answer means, and it is nobody's turn to say what began it", () => {
    show(host);
    expect(screen.getByRole("heading").textContent).toBe("A program in the box wants to reach the network");
    expect(screen.getByTestId("permission-exact").textContent).toBe("a.example:443");
    expect(screen.queryByText(/It wants/)).toBeNull();
    expect(screen.getByText(/“Once” is for a minute/)).toBeTruthy();
    expect(document.activeElement).toBe(document.body);
  });

  test.each([
    ["permission-once", "once"],
    ["permission-session", "session"],
    ["permission-always", "always"],
    ["permission-never", "never"],
    ["permission-reject", "reject"],
  ] as const)("%s sends its choice, once", async (button, choice) => {
    show(host);
    await userEvent.dblClick(screen.getByTestId(button));
    expect(answerPermission.mock.calls).toEqual([["p1", { choice }]]);
  });

  test("y and n need no second step", async () => {
    show(host);
    screen.getByTestId("permission-card").focus();
    await userEvent.keyboard("n");
    expect(answerPermission.mock.calls).toEqual([["p1", { choice: "reject" }]]);
  });

  test.each([
    [{ state: "answered", choice: "always", by: "user", user: "Alice" }, "Always allowed by you"],
    [{ state: "answered", choice: "never", by: "user", user: "Bob" }, "Never allowed by Bob"],
    [{ state: "lost" }, "No longer needed: nothing waits for this host"],
  ] as const)("when it is over says how: %j", (over, words) => {
    show({ ...host, ...over });
    expect(screen.getByTestId("permission-outcome").textContent).toBe(words);
  });
});

describe("a question", () => {
  test("wants every answer before it can be sent", async () => {
    show(question);
    const send = screen.getByTestId<HTMLButtonElement>("question-answer");
    await userEvent.click(screen.getByLabelText("blue"));
    expect(send.disabled).toBe(true);
    await userEvent.click(screen.getByLabelText("a"));
    await userEvent.click(screen.getByLabelText("b"));
    await userEvent.click(send);
    expect(answerPermission.mock.calls).toEqual([
      ["p1", { choice: "once", answers: [["blue"], ["a", "b"]] }],
    ]);
  });

  test("takes words of one's own instead of an option", async () => {
    show({ ...question, questions: question.questions.slice(0, 1) });
    await userEvent.click(screen.getByLabelText("red"));
    await userEvent.type(screen.getByTestId("question-own"), "green{Enter}");
    expect(answerPermission.mock.calls).toEqual([["p1", { choice: "once", answers: [["green"]] }]]);
  });

  test("may be left unanswered", async () => {
    show(question);
    await userEvent.click(screen.getByTestId("question-refuse"));
    expect(answerPermission.mock.calls).toEqual([["p1", { choice: "reject" }]]);
  });
});
