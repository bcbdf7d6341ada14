// The bar for a card that is out of sight: never there before somebody has looked.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, render, screen } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import type { Ask } from "./ask";
import { PermissionCard } from "./permission-card";
import { WaitingBar } from "./waiting-bar";

const ask = { id: "p", type: "tool", command: "ls", questions: [], state: "pending" } as unknown as Ask;

let look: (visible: number, height: number) => void;

class FakeObserver {
  constructor(callback: IntersectionObserverCallback) {
    look = (visible, height) =>
      callback(
        [
          {
            intersectionRect: { height: visible },
            boundingClientRect: { height },
            rootBounds: { height: 600 },
          } as IntersectionObserverEntry,
        ],
        this as unknown as IntersectionObserver,
      );
  }
  observe() {}
  disconnect() {}
}

beforeEach(() => {
  vi.stubGlobal("IntersectionObserver", FakeObserver);
});

function show(isCardShown = true) {
  return render(
    <QueryClientProvider client={new QueryClient()}>
      {isCardShown && <PermissionCard ask={ask} agent="OpenCode" me="Alice" />}
      <WaitingBar asks={[ask]} agent="OpenCode" me="Alice" />
    </QueryClientProvider>,
  );
}

const bar = () => screen.queryByTestId("waiting-bar");

test("is not there until the card was found to be out of sight", () => {
  show();
  expect(bar()).toBeNull();
  act(() => look(0, 300));
  expect(bar()).not.toBeNull();
  act(() => look(200, 300));
  expect(bar()).toBeNull();
});

test("a card that is higher than the room for it is in sight when it fills enough of that", () => {
  show();
  act(() => look(500, 5000));
  expect(bar()).toBeNull();
  act(() => look(100, 5000));
  expect(bar()).not.toBeNull();
});

test("forgets a card that is gone", () => {
  const { unmount } = show();
  act(() => look(0, 300));
  unmount();
  show(false);
  expect(bar()).toBeNull();
});
