// What is said and asked before a key is added.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { ApiError } from "@/lib/api/errors";
import type { Provider } from "@/lib/api/types";
import { KeyDialog } from "./key-dialog";

const { addKey } = vi.hoisted(() => ({ addKey: vi.fn<(body: object) => Promise<object>>() }));
vi.mock("@/lib/api/keys", async (original) => ({ ...(await original<object>()), addKey }));

const provider = (id: string, enters_box: boolean) =>
  ({ id, name: id, address: "fixed", agents: [], enters_box, note: "", key_page: "" }) as unknown as Provider;

function show(...providers: Provider[]) {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <KeyDialog task={{ kind: "add" }} providers={providers} onClose={() => {}} />
    </QueryClientProvider>,
  );
}

test("a login that enters the box is added only when that was agreed to", async () => {
  addKey.mockResolvedValue({});
  show(provider("boxed", true));
  const box = screen.getByLabelText<HTMLInputElement>(/I agree/);
  expect(screen.getByTestId("box-consent").textContent).toContain("has to be inside of the box");
  expect(box.required && !box.checked).toBe(true);
  fireEvent.click(box);
  fireEvent.change(screen.getByLabelText("Key"), { target: { value: "k" } });
  fireEvent.submit(screen.getByTestId("key-form"));
  await waitFor(() => expect(addKey).toHaveBeenCalled());
  expect(addKey.mock.calls[0]?.[0]).toMatchObject({ provider: "boxed", agrees_to_box: true });
});

test("what was agreed to for one login, or was wrong with it, is not so for another", async () => {
  const fields = { agrees_to_box: [{ message: "You have to agree.", code: "required" }] };
  addKey.mockReset().mockRejectedValue(new ApiError(400, "invalid", "", { errors: fields }));
  show(provider("boxed", true), provider("another", true));
  fireEvent.click(screen.getByLabelText(/I agree/));
  fireEvent.submit(screen.getByTestId("key-form"));
  await screen.findByText("You have to agree.");
  fireEvent.change(screen.getByLabelText("Provider"), { target: { value: "another" } });
  expect(screen.getByLabelText<HTMLInputElement>(/I agree/).checked).toBe(false);
  await waitFor(() => expect(screen.queryByText("You have to agree.")).toBeNull());
});

test("nothing has to be agreed to for a key that stays outside", async () => {
  addKey.mockReset().mockResolvedValue({});
  show(provider("outside", false));
  expect(screen.queryByTestId("box-consent")).toBeNull();
  fireEvent.submit(screen.getByTestId("key-form"));
  await waitFor(() => expect(addKey).toHaveBeenCalled());
  expect(addKey.mock.calls[0]?.[0]).not.toHaveProperty("agrees_to_box");
});
