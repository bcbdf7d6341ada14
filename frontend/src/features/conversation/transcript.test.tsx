// The transcript says when the platform has left out what came before, and goes to its end for whoever sends a prompt.
import { fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { EMPTY } from "@/protocol/conversation";
import { Transcript } from "./transcript";

beforeEach(() => {
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe() {}
      unobserve() {}
      disconnect() {}
    },
  );
});

const transcript = ({ omitted = {}, sent = 0 }: { omitted?: { omitted_before?: number }; sent?: number }) => (
  <Transcript
    session="s"
    conversation={{ ...EMPTY, ...omitted }}
    sent={sent}
    renderPermission={() => null}
    onRunAgain={() => {}}
    onRunInTerminal={() => {}}
    renderOutput={() => null}
  >
    {null}
  </Transcript>
);

test("a conversation that is told in part says so, and one that is whole does not", () => {
  const { rerender } = render(transcript({}));
  expect(screen.queryByTestId("omitted")).toBeNull();
  rerender(transcript({ omitted: { omitted_before: 7 } }));
  expect(screen.getByTestId("omitted").textContent).toContain("left out");
});

test("a prompt that is sent from further up leads to the end", () => {
  const { rerender } = render(transcript({}));
  const scroller = screen.getByTestId("transcript");
  Object.defineProperty(scroller, "scrollHeight", { value: 5000 });
  scroller.scrollTop = 400;
  fireEvent.scroll(scroller);
  scroller.scrollTop = 100;
  fireEvent.scroll(scroller);
  expect(screen.getByText("Jump to latest")).toBeTruthy();
  rerender(transcript({ sent: 1 }));
  expect(scroller.scrollTop).toBe(5000);
  expect(screen.queryByText("Jump to latest")).toBeNull();
});
