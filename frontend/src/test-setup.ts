// What jsdom lacks and every component test needs.
import { cleanup } from "@testing-library/react";
import { afterEach, vi } from "vitest";

afterEach(() => {
  cleanup();
  localStorage.clear();
});

/** Nothing is ever in sight, and every question to the screen is answered with no: that is the browser tests' matter. */
class StillObserver {
  observe(): void {}
  disconnect(): void {}
}
vi.stubGlobal("IntersectionObserver", StillObserver);
vi.stubGlobal("matchMedia", (media: string) => Object.assign(new EventTarget(), { media, matches: false }));
