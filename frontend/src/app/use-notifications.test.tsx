// Somebody who looks elsewhere is told once about each question, if they asked for it.
import { render } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Permission } from "@/lib/api/types";
import { setPreference } from "@/lib/preferences";
import { useNotifications } from "./use-notifications";

const { notify } = vi.hoisted(() => ({ notify: vi.fn() }));
vi.mock("@/lib/notifications", () => ({ notify }));
vi.mock("@tanstack/react-router", () => ({ useNavigate: () => () => {} }));

const asked = (id: string) =>
  ({
    id,
    session: "s",
    session_title: "fix",
    type: "tool",
    command: `make ${id}`,
    questions: [],
  }) as unknown as Permission;

function Page({ waiting }: { waiting: Permission[] | undefined }) {
  useNotifications(waiting);
  return null;
}

const hasFocus = (is: boolean) => vi.spyOn(document, "hasFocus").mockReturnValue(is);
beforeEach(() => {
  notify.mockReset();
  hasFocus(false);
  setPreference({ notifies: true });
});
afterEach(() => setPreference({ notifies: false }));

function come(...lists: (Permission[] | undefined)[]) {
  const { rerender } = render(<Page waiting={lists[0]} />);
  for (const list of lists.slice(1)) rerender(<Page waiting={list} />);
  return notify.mock.calls.map(([told]) => [told.title, told.body, told.tag]);
}

test("what is new is told, what waited already is not", () => {
  expect(come(undefined, [asked("a")], [asked("a"), asked("b")], [asked("b")])).toEqual([
    ["fix", "The agent wants to run: make b", "b"],
  ]);
});

test.each([
  ["somebody looks", () => hasFocus(true)],
  ["nobody asked for it", () => setPreference({ notifies: false })],
])("nothing is told when %s", (_, make) => {
  make();
  expect(come([], [asked("a")])).toEqual([]);
});
