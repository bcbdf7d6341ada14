// The model beside the composer is called by its name, never for a moment by its id.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { providersQuery } from "@/lib/api/keys";
import type { Session } from "@/lib/api/types";
import { ChatControls } from "./chat-controls";

test("the model is shown when its name is known", async () => {
  const queries = new QueryClient({ defaultOptions: { queries: { enabled: false } } });
  const session = { id: "s", provider: "demo", model: "demo", mode: "ask" } as Session;
  render(
    <QueryClientProvider client={queries}>
      <ChatControls session={session} onMode={() => {}} />
    </QueryClientProvider>,
  );
  expect(screen.queryByTestId("model-select")).toBeNull();
  const provider = { id: "demo", models: [{ id: "demo", name: "Scripted demo" }] };
  await act(async () => {
    queries.setQueryData(providersQuery.queryKey, [provider] as never);
  });
  const select = await screen.findByTestId<HTMLSelectElement>("model-select");
  expect(select.selectedOptions[0]?.textContent).toBe("Scripted demo");
});
