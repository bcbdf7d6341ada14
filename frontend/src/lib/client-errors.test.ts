import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { reportError, reportUncaughtErrors } from "./client-errors";

const listening: [string, EventListenerOrEventListenerObject][] = [];

/** The bodies of all reports so far, oldest first. */
function reports(): Record<string, unknown>[] {
  return vi.mocked(fetch).mock.calls.map(([, request]) => JSON.parse(String(request?.body)));
}

describe("an error of the page", () => {
  beforeEach(() => {
    vi.spyOn(globalThis, "fetch").mockRejectedValue(new TypeError("offline"));
    history.replaceState(null, "", "/");
  });

  afterAll(() => {
    for (const [kind, listener] of listening) window.removeEventListener(kind, listener);
    history.replaceState(null, "", "/");
  });

  it("is reported with its stack, where it happened and in which session", () => {
    const session = "7f1b7a52-3d0c-4f0e-9a55-0d6f6b1f0c01";
    history.replaceState(null, "", `/sessions/${session}?token=secret#secret`);
    const error = new TypeError("x is undefined");
    reportError(error, "\nin SessionPage");
    expect(reports()).toEqual([
      {
        message: "x is undefined",
        stack: `${error.stack}\nin SessionPage`,
        url: `/sessions/${session}`,
        session,
      },
    ]);
    const [address, request] = vi.mocked(fetch).mock.calls[0] ?? [];
    expect(address).toBe("/api/v1/client-errors/");
    expect(request).toMatchObject({ method: "POST", keepalive: true, credentials: "same-origin" });
    expect(request?.headers).toMatchObject({ "X-Request-ID": expect.stringMatching(/^[0-9a-f-]{36}$/) });
  });

  it("is reported once, and whatever was thrown", () => {
    const error = new Error("the same again");
    reportError(error);
    reportError(error);
    reportError("only a string");
    reportError("");
    expect(reports().map(({ message }) => message)).toEqual([
      "the same again",
      "only a string",
      "unknown error",
    ]);
    expect(reports()[1]).not.toHaveProperty("session");
  });

  it("is cut where it is long", () => {
    reportError(Object.assign(new Error("m".repeat(5_000)), { stack: "s".repeat(50_000) }));
    expect(reports()).toMatchObject([{ message: "m".repeat(1_000), stack: "s".repeat(8_000) }]);
  });

  it("is reported when nobody caught it, unless it is harmless", () => {
    const listen = window.addEventListener.bind(window);
    vi.spyOn(window, "addEventListener").mockImplementation(
      (kind: string, listener: EventListenerOrEventListenerObject) => {
        listening.push([kind, listener]);
        listen(kind, listener);
      },
    );
    reportUncaughtErrors();
    window.dispatchEvent(new ErrorEvent("error", { message: "thrown", error: new Error("was thrown") }));
    window.dispatchEvent(new ErrorEvent("error", { message: "Script error." }));
    window.dispatchEvent(new ErrorEvent("error", { message: "ResizeObserver loop limit exceeded" }));
    window.dispatchEvent(Object.assign(new Event("unhandledrejection"), { reason: new Error("rejected") }));
    expect(reports().map(({ message }) => message)).toEqual(["was thrown", "Script error.", "rejected"]);
  });

  it("is not reported when there have been too many", () => {
    for (let number = 0; number < 50; number++) reportError(`error ${number}`);
    // Twenty for as long as the page lives: the tests above have reported some.
    expect(reports().length).toBeLessThanOrEqual(20);
    expect(reports().length).toBeGreaterThan(0);
  });
});
