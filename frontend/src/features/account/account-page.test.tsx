// Changing one's password: nothing is sent that was not typed twice, and what is refused is said at its field.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import type { Me } from "@/lib/api/types";
import { AccountPage } from "./account-page";

const ME = { id: "1", email: "a@example.org", name: "Alice" } as Me;

function show(answer: () => Response, browsers?: object[]) {
  const calls = vi.spyOn(globalThis, "fetch").mockImplementation(async () => answer());
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 60_000 } } });
  if (browsers) client.setQueryData(["browsers"], browsers);
  render(
    <QueryClientProvider client={client}>
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

test("two different new passwords are not sent, which is said until one of them is changed", async () => {
  const { sent, change } = show(refused);
  change("a better one 1865", "a better one 1866");
  expect(screen.getByRole("alert").textContent).toBe("This is not the same as the new password.");
  expect(sent()).toBe(0);
  fireEvent.change(screen.getByLabelText("New password again"), { target: { value: "a better one 18" } });
  expect(screen.queryByText("This is not the same as the new password.")).toBeNull();
});

test("why a password is refused stands at its field", async () => {
  const { sent, change } = show(refused);
  change("password12", "password12");
  expect(await screen.findByText("This one is too common.")).toBeTruthy();
  expect(screen.getByLabelText("New password").getAttribute("aria-invalid")).toBe("true");
  expect(sent()).toBe(1);
});

test("each button that signs a browser out says which", async () => {
  const browsers = ["Firefox on Linux", "Safari on iPhone"].map((name, index) => ({
    ...{ id: String(index), name, is_current: false, seen_at: null, since: null },
  }));
  show(refused, browsers);
  expect(await screen.findByRole("button", { name: "Sign out Firefox on Linux" })).toBeTruthy();
  expect(screen.getByRole("button", { name: "Sign out Safari on iPhone" })).toBeTruthy();
});
