// Nothing that was typed gets lost, and nothing is sent under two names.
import { beforeEach, describe, expect, test, vi } from "vitest";
import { Unreachable } from "./api/errors";
import { forgetPrompts, outgoingOf, retryPrompt, submitPrompt, useOutbox } from "./outbox";

const { sendPrompt } = vi.hoisted(() => ({
  sendPrompt: vi.fn<(session: string, body: { id: string; text: string }) => Promise<unknown>>(),
}));
vi.mock("./api/sessions", () => ({ sendPrompt }));

const outgoing = () => outgoingOf("s")(useOutbox.getState());

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
    vi.resetModules();
    const fresh = await import("./outbox");
    expect(fresh.outgoingOf("s")(fresh.useOutbox.getState())).toMatchObject([
      { text: "half sent", state: "failed" },
    ]);
  });
});
