// Unit tests: the protocol in plain node, everything that touches a page in jsdom.
import path from "node:path";
import { defineConfig } from "vitest/config";

// A page of its own for each file takes five times as long; what a test leaves behind, `test-setup.ts` clears.
// Other work may share the machine.
const shared = { restoreMocks: true, isolate: false, testTimeout: 60_000 } as const;

export default defineConfig({
  resolve: { alias: { "@": path.resolve(import.meta.dirname, "src") } },
  test: {
    projects: [
      {
        extends: true,
        test: { ...shared, name: "protocol", environment: "node", include: ["src/protocol/**/*.test.ts"] },
      },
      {
        extends: true,
        test: {
          ...shared,
          name: "page",
          environment: "jsdom",
          include: ["src/**/*.test.{ts,tsx}"],
          exclude: ["src/protocol/**"],
          setupFiles: ["src/test-setup.ts"],
        },
      },
    ],
  },
});
