// Clocks that count, and that stand while nobody knows.
import { act, render } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Elapsed } from "./time";

const START = Date.parse("2026-11-22T10:00:00Z");

beforeEach(() => {
  vi.useFakeTimers({ now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

test("a clock counts, stands while it is not known to go on, and is right again afterwards", () => {
  const { container, rerender } = render(<Elapsed since={START} />);
  act(() => vi.advanceTimersByTime(28_000));
  expect(container.textContent).toBe("0:28");
  rerender(<Elapsed since={START} isCounting={false} />);
  act(() => vi.advanceTimersByTime(30_000));
  expect(container.textContent).toBe("0:28");
  rerender(<Elapsed since={START} />);
  expect(container.textContent).toBe("0:58");
});
