// What jsdom lacks and every component test needs.
import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";

// Files share their page: without this, what one has replaced with `vi.mock` would be there for the next, and the other way round.
vi.resetModules();

// Other work may share the machine.
configure({ asyncUtilTimeout: 20_000 });

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
