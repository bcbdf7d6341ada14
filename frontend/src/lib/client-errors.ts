// Reports errors of the page itself to the platform: each kind once, and not many.
import { requestHeaders } from "./api/client";

const MOST = 20;
const MAX_STACK = 8_000;
const reported = new Set<string>();

/** The session that the address names, so that a report can be found beside its log. */
function sessionInAddress(): string | undefined {
  return /\/sessions\/([0-9a-f-]{36})/.exec(location.pathname)?.[1];
}

export function reportError(error: unknown, extra = ""): void {
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
  const signature = `${message}\n${stack?.split("\n", 3).join("\n") ?? ""}`;
  if (reported.has(signature) || reported.size >= MOST) return;
  reported.add(signature);
  const session = sessionInAddress();
  const body = {
    message: message.slice(0, 1000) || "unknown error",
    stack: `${stack ?? ""}${extra}`.slice(0, MAX_STACK),
    url: location.pathname,
    ...(session && { session }),
  };
  const request = {
    method: "POST",
    credentials: "same-origin",
    keepalive: true,
    headers: { ...requestHeaders("POST"), "Content-Type": "application/json" },
    body: JSON.stringify(body),
  } as const;
  // A report that cannot be sent must not become the next error.
  void fetch("/api/v1/client-errors/", request).catch(() => undefined);
}

/** Resize observers say this when they need one more frame; it is no fault. */
const HARMLESS = /ResizeObserver loop/;

export function reportUncaughtErrors(): void {
  window.addEventListener("error", (event) => {
    if (!HARMLESS.test(event.message)) reportError(event.error ?? event.message);
  });
  window.addEventListener("unhandledrejection", (event) => reportError(event.reason));
}
