// What jsdom lacks and every component test needs.
import { cleanup } from "@testing-library/react";
import { afterEach, vi } from "vitest";

afterEach(() => {
  cleanup();
  localStorage.clear();
});

/** Nothing is ever looked at: layout is the browser tests' matter. */
class StillObserver {
  observe(): void {}
  disconnect(): void {}
}
vi.stubGlobal("IntersectionObserver", StillObserver);
