// The menu of a session says what it did, and what it could not do.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { Session } from "@/lib/api/types";
import { SessionMenu } from "./session-actions";

const { copyText, stopSession, toast } = vi.hoisted(() => ({
  stopSession: vi.fn<(id: string) => Promise<unknown>>(),
  copyText: vi.fn<(text: string, what: string) => Promise<boolean>>(),
  toast: Object.assign(vi.fn(), { error: vi.fn() }),
}));
vi.mock("@tanstack/react-router", () => ({ useNavigate: () => () => {} }));
vi.mock("@/lib/api/sessions", async (original) => ({ ...(await original<object>()), stopSession }));
vi.mock("@/lib/clipboard", () => ({ copyText }));
vi.mock("sonner", () => ({ toast }));

beforeEach(() => {
  toast.mockReset();
  toast.error.mockReset();
  stopSession.mockReset().mockResolvedValue({});
});

test.each(["Link", "Id"])("%s: what could not be copied is not called copied", async (what) => {
  const session = { id: "s", title: "fix", status: "asleep", turn: null } as unknown as Session;
  render(
    <QueryClientProvider client={new QueryClient()}>
      <SessionMenu session={session} isCurrent={false} />
    </QueryClientProvider>,
  );
  const choose = async () => {
    await userEvent.click(screen.getByLabelText("Actions for fix"));
    await userEvent.click(await screen.findByText(`Copy ${what.toLowerCase()}`));
  };
  copyText.mockResolvedValue(false);
  await choose();
  await waitFor(() => expect(toast.error).toHaveBeenCalledWith(`${what} could not be copied`));
  expect(toast).not.toHaveBeenCalled();
  copyText.mockResolvedValue(true);
  await choose();
  await waitFor(() => expect(toast).toHaveBeenCalledWith(`${what} copied`));
});

test.each([
  ["ready", null, 1],
  ["running", "t1", 0],
])("a session that is %s is put to sleep; a question comes first while its agent works", async (...row) => {
  const [status, turn, calls] = row;
  const session = { id: "s", title: "fix", status, turn } as unknown as Session;
  render(
    <QueryClientProvider client={new QueryClient()}>
      <SessionMenu session={session} isCurrent={false} />
    </QueryClientProvider>,
  );
  await userEvent.click(screen.getByLabelText("Actions for fix"));
  await userEvent.click(await screen.findByText(/^Put to sleep/));
  expect(stopSession).toHaveBeenCalledTimes(calls);
  if (turn) await userEvent.click(await screen.findByRole("button", { name: "Stop and put to sleep" }));
  await waitFor(() => expect(stopSession.mock.calls).toEqual([["s"]]));
});
