// A file that is asked for after the login ended says so to the page, as every other answer does.
import { expect, test, vi } from "vitest";
import { fileOf, onSignedOut } from "./client";

test.each([
  [401, 1],
  [404, 0],
])("a download that is refused with %i tells %i time(s) that nobody is signed in", async (status, times) => {
  vi.spyOn(globalThis, "fetch").mockResolvedValue(Response.json({ code: "refused" }, { status }));
  const listener = vi.fn();
  const stop = onSignedOut(listener);
  await expect(fileOf("/api/v1/sessions/1/conversation/export/")).rejects.toMatchObject({ status });
  expect(listener).toHaveBeenCalledTimes(times);
  stop();
});
