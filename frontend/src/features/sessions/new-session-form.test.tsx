// The form for a new session keeps what was chosen, whatever happens to the lists behind it.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { Unreachable } from "@/lib/api/errors";
import { NewSessionForm } from "./new-session-form";

const { createSession } = vi.hoisted(() => ({ createSession: vi.fn<(body: object) => Promise<object>>() }));
vi.mock("@/lib/api/sessions", async (original) => ({ ...(await original<object>()), createSession }));
vi.mock("@tanstack/react-router", () => ({ Link: "a", useNavigate: () => () => {} }));

const BOUNDS = {
  loosest: "allow-list",
  default_policy: "allow-list",
  default_ask: true,
  users_add_hosts: true,
};

test("a list that cannot be asked for again leaves the filled form alone", async () => {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } });
  queries.setQueryData(["agents"], []);
  queries.setQueryData(["providers"], []);
  queries.setQueryData(["egress", "bounds"], BOUNDS);
  render(
    <QueryClientProvider client={queries}>
      <NewSessionForm />
    </QueryClientProvider>,
  );
  const plan = screen.getByLabelText<HTMLInputElement>(/^Plan/);
  fireEvent.click(plan);
  await queries
    .fetchQuery({ queryKey: ["agents"], queryFn: () => Promise.reject(new Unreachable()), staleTime: 0 })
    .catch(() => {});
  await waitFor(() => expect(queries.getQueryState(["agents"])?.status).toBe("error"));
  expect(screen.queryByRole("alert")).toBeNull();
  expect(plan.isConnected && plan.checked).toBe(true);
});

test("the network can be chosen within what the administrator allows, and what was chosen last beyond it is not", () => {
  localStorage.setItem(
    "openagent.new-session",
    JSON.stringify({ network: { policy: "full", ask: false }, mode: "ask" }),
  );
  const queries = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
  queries.setQueryData(["agents"], []);
  queries.setQueryData(["providers"], []);
  queries.setQueryData(["egress", "bounds"], BOUNDS);
  render(
    <QueryClientProvider client={queries}>
      <NewSessionForm />
    </QueryClientProvider>,
  );
  const policy = screen.getByTestId<HTMLSelectElement>("network-policy");
  expect([...policy.options].map((option) => option.value)).toEqual(["none", "allow-list"]);
  expect(policy.value).toBe("allow-list");
  expect(screen.getByText(/at most/)).toBeTruthy();
  expect(screen.getByTestId<HTMLInputElement>("network-ask").checked).toBe(true);
  fireEvent.change(policy, { target: { value: "none" } });
  expect(screen.queryByTestId("network-ask")).toBeNull();
});

test("a session begins with a repository if one is named", async () => {
  createSession.mockReset().mockResolvedValue({ id: "s" });
  localStorage.clear();
  const queries = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
  const agent = {
    id: "a",
    name: "A",
    is_installed: true,
    wires: [],
    capabilities: {},
    survives_resume: {},
    notes: [],
    known_limits: [],
  };
  const demo = {
    id: "demo",
    name: "Demo",
    kind: "models",
    needs_key: false,
    agents: [],
    models: [{ id: "m", name: "M" }],
  };
  const host = {
    id: "github",
    name: "GitHub",
    kind: "git",
    needs_key: true,
    has_key: true,
    agents: [],
    models: [],
  };
  queries.setQueryData(["agents"], [agent]);
  queries.setQueryData(["providers"], [demo, host]);
  queries.setQueryData(["egress", "bounds"], BOUNDS);
  render(
    <QueryClientProvider client={queries}>
      <NewSessionForm />
    </QueryClientProvider>,
  );
  expect(screen.queryByText(/GitHub/)).toBeNull();
  fireEvent.change(screen.getByLabelText("Address"), { target: { value: "https://github.com/a/b" } });
  fireEvent.change(screen.getByLabelText("Branch"), { target: { value: "next" } });
  fireEvent.submit(screen.getByTestId("new-session-form"));
  await waitFor(() => expect(createSession).toHaveBeenCalled());
  expect(createSession.mock.calls[0]?.[0]).toMatchObject({
    repository: { url: "https://github.com/a/b", branch: "next" },
  });
});

test("another agent and back again leaves the chosen model, whether it is listed or not", () => {
  localStorage.clear();
  const queries = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
  const agent = (id: string) => ({
    ...{ id, name: id, version: "1", is_installed: true, wires: [id] },
    ...{ capabilities: {}, survives_resume: {}, notes: [], known_limits: [] },
  });
  const provider = (id: string, ...models: string[]) => ({
    ...{ id, name: id, wire: id, kind: "models", needs_key: true, has_key: true, agents: [] },
    models: models.map((model) => ({ id: model, name: model })),
  });
  queries.setQueryData(["agents"], [agent("a"), agent("b")]);
  queries.setQueryData(["providers"], [provider("a", "first", "second"), provider("b", "third")]);
  queries.setQueryData(["egress", "bounds"], BOUNDS);
  render(
    <QueryClientProvider client={queries}>
      <NewSessionForm />
    </QueryClientProvider>,
  );
  const choose = (label: string, value: string) =>
    fireEvent.change(screen.getByLabelText(label), { target: { value } });
  const model = () => screen.getByLabelText<HTMLSelectElement>("Model").value;

  choose("Model", "a/second");
  choose("Agent", "b");
  expect(model()).toBe("b/third");
  choose("Agent", "a");
  expect(model()).toBe("a/second");

  choose("Model", "other:a");
  fireEvent.change(screen.getByLabelText("Model id at a"), { target: { value: "newer" } });
  choose("Agent", "b");
  expect([model(), screen.queryByLabelText("Model id at a")]).toEqual(["b/third", null]);
  choose("Agent", "a");
  expect([model(), screen.getByLabelText<HTMLInputElement>("Model id at a").value]).toEqual([
    "other:a",
    "newer",
  ]);
});
