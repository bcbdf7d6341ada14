// The panel as a page of its own, on a screen that is too narrow for both.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import type { ComponentProps } from "react";
import { expect, test, vi } from "vitest";
import { SessionPanel } from "./session-panel";

interface LinkProps extends ComponentProps<"a"> {
  to: string;
  params: object;
  search: object;
  activeOptions?: object;
}

vi.mock("@tanstack/react-router", async () => {
  const { createElement } = await import("react");
  const Link = ({ to, params: _params, search: _search, activeOptions: _options, ...rest }: LinkProps) =>
    createElement("a", { href: to, ...rest });
  return { Link, useNavigate: () => () => {}, useSearch: () => ({}) };
});
vi.mock("@/lib/media", () => ({ useIsPhone: () => false, useIsNarrow: () => true, useIsTouch: () => false }));

test("the way back is one link that the keyboard reaches, not a button within a link", () => {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <SessionPanel id="s" />
    </QueryClientProvider>,
  );
  const back = screen.getByLabelText("Back to the conversation");
  expect(back.tagName).toBe("A");
  expect(back.tabIndex).toBe(0);
  expect(back.querySelector("button")).toBeNull();
});
