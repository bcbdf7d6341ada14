// Changing one's password: nothing is sent that was not typed twice, and what is refused is said at its field.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import type { Me } from "@/lib/api/types";
import { AccountPage } from "./account-page";

const ME = { id: "1", email: "a@example.org", name: "Alice" } as Me;

function show(answer: () => Response) {
  const calls = vi.spyOn(globalThis, "fetch").mockImplementation(async () => answer());
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <AccountPage me={ME} />
    </QueryClientProvider>,
  );
  const sent = () => calls.mock.calls.filter(([url]) => String(url).includes("password/change")).length;
  const change = (wanted: string, again: string) => {
    const type = (label: string, value: string) =>
      fireEvent.change(screen.getByLabelText(label), { target: { value } });
    type("Present password", "the present one");
    type("New password", wanted);
    type("New password again", again);
    fireEvent.submit(screen.getByTestId("password-form"));
  };
  return { sent, change };
}

const refused = () =>
  Response.json(
    { errors: [{ code: "password_too_common", param: "new_password", message: "This one is too common." }] },
    { status: 400 },
  );

test("two different new passwords are not sent", async () => {
  const { sent, change } = show(refused);
  change("a better one 1865", "a better one 1866");
  expect(screen.getByText("This is not the same as the new password.")).toBeTruthy();
  expect(sent()).toBe(0);
});

test("why a password is refused stands at its field", async () => {
  const { sent, change } = show(refused);
  change("password12", "password12");
  expect(await screen.findByText("This one is too common.")).toBeTruthy();
  expect(screen.getByLabelText("New password").getAttribute("aria-invalid")).toBe("true");
  expect(sent()).toBe(1);
});
