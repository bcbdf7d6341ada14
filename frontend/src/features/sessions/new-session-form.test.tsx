// The form for a new session keeps what was chosen, whatever happens to the lists behind it.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { Unreachable } from "@/lib/api/errors";
import { NewSessionForm } from "./new-session-form";

vi.mock("@tanstack/react-router", () => ({ Link: "a", useNavigate: () => () => {} }));

test("a list that cannot be asked for again leaves the filled form alone", async () => {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } });
  queries.setQueryData(["agents"], []);
  queries.setQueryData(["providers"], []);
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
