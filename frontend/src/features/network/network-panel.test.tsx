// The network of a session: what is offered depends on what holds, and what cannot be done is said.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "@/lib/api/errors";
import type { ReachedHost, SessionEgress } from "@/lib/api/types";
import { NetworkPanel } from "./network-panel";

const { get, changeSession } = vi.hoisted(() => ({ get: vi.fn(), changeSession: vi.fn() }));
vi.mock("@tanstack/react-router", () => ({ Link: "a" }));
vi.mock("@/lib/api/client", async (original) => ({ ...(await original<object>()), api: { GET: get } }));
vi.mock("@/lib/api/sessions", async (original) => ({ ...(await original<object>()), changeSession }));

const host = (name: string, fields: Partial<ReachedHost>): ReachedHost => ({
  host: name,
  port: 443,
  used: 0,
  blocked: 0,
  bytes_up: 0,
  bytes_down: 0,
  reason: "",
  last_at: "2026-01-01T10:00:00Z",
  ...fields,
});

const EGRESS: SessionEgress = {
  policy: "allow-list",
  ask: true,
  loosest: "full",
  users_add_hosts: true,
  allowed: [
    { host: "mirror.example:8080", by: "registry" },
    { host: "a.example", by: "session" },
    { host: "b.example", by: "you" },
  ],
  refused: [{ host: "bad.example", by: "administrator" }],
  next: null,
  previous: null,
  results: [
    host("a.example", { used: 3, bytes_up: 1200, bytes_down: 5_000_000 }),
    host("c.example", { port: 8443, blocked: 2, reason: "not_allowed" }),
    host("inner.example", { blocked: 1, reason: "private" }),
  ],
};

async function show(egress: Partial<SessionEgress> = {}) {
  get.mockResolvedValue({ data: { ...EGRESS, ...egress }, response: Response.json({}) });
  const wish = { policy: "allow-list" as const, ask: true, hosts: ["a.example"] };
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <NetworkPanel session="s" wish={wish} />
    </QueryClientProvider>,
  );
  await screen.findByTestId("network-policy");
}

const sent = () => changeSession.mock.calls.map(([, body]) => body);

beforeEach(() => {
  get.mockReset();
  changeSession.mockReset().mockResolvedValue({});
});

test("hosts that were reached and refused are told in words", async () => {
  await show();
  const rows = screen.getAllByTestId("reached-host");
  expect(rows[0]?.textContent).toMatch(/a.example:443reached 3 times.*1.2 KB.*5.0 MB/);
  expect(rows[1]?.textContent).toMatch(/refused 2 times: not on the list/);
  expect(rows[2]?.textContent).toMatch(/refused once: leads into a private network/);
  expect(within(rows[2] as HTMLElement).queryByRole("button")).toBeNull();
});

test("a refused host is allowed by its row, and one of the session's taken off by its button", async () => {
  await show();
  await userEvent.click(screen.getByLabelText("Allow c.example:8443"));
  await userEvent.click(screen.getByLabelText("Remove a.example"));
  expect(sent()).toEqual([{ egress: { hosts: ["a.example", "c.example:8443"] } }, { egress: { hosts: [] } }]);
});

test("a host that cannot be is told of below its field, and stays there to be mended", async () => {
  const message = "Write only the host, such as example.com: no https://, no path and no user.";
  changeSession.mockRejectedValue(
    new ApiError(400, "bad_host", message, { errors: { egress: [{ message, code: "bad_host" }] } }),
  );
  await show();
  const field = screen.getByLabelText<HTMLInputElement>("Allow a host in this session");
  await userEvent.type(field, "https://x.example{Enter}");
  expect(await screen.findByText(message)).toBeTruthy();
  expect(field.value).toBe("https://x.example");
});

test("policy and question are changed at once", async () => {
  await show();
  await userEvent.selectOptions(screen.getByTestId("network-policy"), "none");
  await userEvent.click(screen.getByTestId("network-ask"));
  expect(sent()).toEqual([{ egress: { policy: "none" } }, { egress: { ask: false } }]);
});

test("where the administrator alone decides nothing is offered", async () => {
  await show({ users_add_hosts: false, loosest: "allow-list", ask: false });
  expect(screen.queryByTestId("host-form")).toBeNull();
  expect(screen.queryByTestId("network-ask")).toBeNull();
  expect(screen.queryByLabelText(/^Allow /)).toBeNull();
  expect(screen.getByText(/“Allowed hosts” at most/)).toBeTruthy();
});
