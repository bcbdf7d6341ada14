// The entrance: whoever comes there can type at once.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { SetupForm } from "./setup-form";
import { SignInAgain, SignInPage } from "./sign-in-form";

const nothing = () => {};

test.each([
  ["E-mail", () => <SetupForm isCodeRequired onDone={nothing} onTooLate={nothing} />],
  ["E-mail", () => <SignInPage onDone={nothing} />],
  ["Password", () => <SignInAgain open email="a@example.org" onDone={nothing} />],
])("it begins in the field %s", async (field, Page) => {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <Page />
    </QueryClientProvider>,
  );
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText(field)));
});
