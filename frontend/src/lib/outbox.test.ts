// Nothing that was typed gets lost, and nothing is sent under two names.
import { beforeEach, describe, expect, test, vi } from "vitest";
import { Unreachable } from "./api/errors";
import { forgetPrompts, outgoingOf, retryPrompt, submitPrompt, useOutbox } from "./outbox";

const { sendPrompt } = vi.hoisted(() => ({
  sendPrompt: vi.fn<(session: string, body: { id: string; text: string }) => Promise<unknown>>(),
}));
vi.mock("./api/sessions", () => ({ sendPrompt }));

const outgoing = () => outgoingOf("s")(useOutbox.getState());

type Page = Pick<typeof import("./outbox"), "outgoingOf" | "useOutbox" | "submitPrompt" | "retryPrompt">;
const shownBy = (page: Page) => page.outgoingOf("s")(page.useOutbox.getState());

/** The same storage, but nothing else of the page: after a reload, or in another tab. */
async function anotherPage(): Promise<Page> {
  vi.resetModules();
  return import("./outbox");
}

/** As a browser does it after every change. */
function tellEveryTab(): void {
  for (const key of Object.keys(localStorage))
    dispatchEvent(new StorageEvent("storage", { key, newValue: localStorage.getItem(key) }));
}

beforeEach(() => {
  sendPrompt.mockReset().mockResolvedValue({});
  useOutbox.setState({}, true);
});

describe("outbox", () => {
  test("shows a prompt before the platform has it, until the platform shows it", async () => {
    const sent = submitPrompt("s", "do it");
    expect(outgoing()).toMatchObject([{ text: "do it", state: "sending" }]);
    await sent;
    expect(outgoing()).toMatchObject([{ state: "sent" }]);
    forgetPrompts("s", new Set(outgoing().map(({ id }) => id)));
    expect(outgoing()).toEqual([]);
    expect(useOutbox.getState()).toEqual({});
  });

  test("keeps what could not be sent, with the reason, and sends it again under the same id", async () => {
    sendPrompt.mockRejectedValueOnce(new Unreachable());
    await submitPrompt("s", "do it");
    const [failed] = outgoing();
    expect(failed).toMatchObject({ text: "do it", state: "failed" });
    expect(failed?.error).toContain("cannot be reached");
    await retryPrompt("s", failed?.id ?? "");
    expect(new Set(sendPrompt.mock.calls.map(([, body]) => body.id)).size).toBe(1);
    expect(outgoing()).toMatchObject([{ state: "sent" }]);
  });

  test("survives a page that closes while it sends", async () => {
    sendPrompt.mockReturnValueOnce(new Promise(() => undefined));
    void submitPrompt("s", "half sent");
    expect(shownBy(await anotherPage())).toMatchObject([{ text: "half sent", state: "failed" }]);
  });

  test("what failed in one tab is not lost when another one sends", async () => {
    const other = await anotherPage();
    sendPrompt.mockRejectedValueOnce(new Unreachable());
    await submitPrompt("s", "failed here");
    await other.submitPrompt("s", "sent there");
    const reloaded = await anotherPage();
    expect(shownBy(reloaded).map(({ text }) => text)).toEqual(["failed here", "sent there"]);
  });

  test("what one tab sends is not given up in another, and how it ends is told there", async () => {
    let arrive = (_: unknown) => {};
    sendPrompt.mockReturnValueOnce(new Promise((resolve) => (arrive = resolve)));
    const sent = submitPrompt("s", "on its way");
    const other = await anotherPage();
    tellEveryTab();
    expect(outgoing()).toMatchObject([{ state: "sending" }]);
    tellEveryTab();
    expect(shownBy(other)).toMatchObject([{ text: "on its way", state: "sending" }]);
    arrive({});
    await sent;
    tellEveryTab();
    expect(shownBy(other)).toMatchObject([{ state: "sent" }]);
    const [prompt] = outgoing();
    forgetPrompts("s", new Set([prompt?.id ?? ""]));
    dispatchEvent(new StorageEvent("storage", { key: `openagent.outbox.s.${prompt?.id}`, newValue: null }));
    expect(shownBy(other)).toEqual([]);
  });

  test("what another tab sends again is that one's, and can be sent from here when it has failed there too", async () => {
    sendPrompt.mockRejectedValue(new Unreachable());
    await submitPrompt("s", "failing");
    const other = await anotherPage();
    const id = outgoing()[0]?.id ?? "";
    let fail = (_: unknown) => {};
    sendPrompt.mockReturnValueOnce(new Promise((_, reject) => (fail = reject)));
    const again = other.retryPrompt("s", id);
    tellEveryTab();
    expect(outgoing()).toMatchObject([{ state: "sending" }]);
    fail(new Unreachable());
    await again;
    tellEveryTab();
    expect(outgoing()).toMatchObject([{ state: "failed" }]);
    expect(shownBy(other)).toMatchObject([{ state: "failed" }]);
    sendPrompt.mockResolvedValue({});
    await retryPrompt("s", id);
    expect(outgoing()).toMatchObject([{ state: "sent" }]);
  });

  test("what a tab that closes was sending is not sent for ever in the others", async () => {
    sendPrompt.mockReturnValueOnce(new Promise(() => undefined));
    const other = await anotherPage();
    void submitPrompt("s", "half sent");
    tellEveryTab();
    const [prompt] = outgoing();
    expect(shownBy(other)).toContainEqual(prompt);
    dispatchEvent(new Event("pagehide"));
    const kept = localStorage.getItem(`openagent.outbox.s.${prompt?.id}`) ?? "";
    expect(JSON.parse(kept)).toMatchObject({ text: "half sent", state: "failed" });
  });
});
