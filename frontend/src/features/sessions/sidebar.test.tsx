// The list of sessions: its search, and what it says when it could not be asked for.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { Unreachable } from "@/lib/api/errors";
import { Sidebar } from "./sidebar";

const { list } = vi.hoisted(() => ({ list: vi.fn<(shelf: string) => Promise<object>>() }));
vi.mock("@tanstack/react-router", () => ({ Link: "a", useNavigate: () => () => {} }));
vi.mock("@/lib/api/sessions", async (original) => ({
  ...(await original<object>()),
  sessionsQuery: ({ shelf = "present" }) => ({
    queryKey: ["sessions", shelf],
    queryFn: () => list(shelf),
    initialPageParam: "",
    getNextPageParam: () => undefined,
  }),
}));

beforeEach(() => {
  list.mockReset().mockResolvedValue({ results: [] });
});

function show() {
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <Sidebar currentId={undefined} header={null} footer={null} />
    </QueryClientProvider>,
  );
}

test("Esc clears the search, and means nothing else", () => {
  show();
  const field = screen.getByLabelText<HTMLInputElement>("Search sessions");
  fireEvent.change(field, { target: { value: "login" } });
  // False: it was prevented.
  expect(fireEvent.keyDown(field, { key: "Escape" })).toBe(false);
  expect(field.value).toBe("");
});

test("an archive that could not be asked for is not called empty", async () => {
  list.mockImplementation((shelf) =>
    shelf === "archived" ? Promise.reject(new Unreachable()) : Promise.resolve({ results: [] }),
  );
  show();
  fireEvent.click(screen.getByText("Archive"));
  expect(await screen.findByText("The archive could not be loaded")).toBeTruthy();
  expect(screen.queryByText("Nothing is archived.")).toBeNull();
  list.mockResolvedValue({ results: [] });
  fireEvent.click(screen.getByText("Try again"));
  await screen.findByText("Nothing is archived.");
});
