// The transcript says when the platform has left out what came before.
import { render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { EMPTY } from "@/protocol/conversation";
import { Transcript } from "./transcript";

test("a conversation that is told in part says so, and one that is whole does not", () => {
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe() {}
      unobserve() {}
      disconnect() {}
    },
  );
  const transcript = (omitted: { omitted_before?: number }) => (
    <Transcript
      session="s"
      conversation={{ ...EMPTY, ...omitted }}
      renderPermission={() => null}
      onRunAgain={() => {}}
      onRunInTerminal={() => {}}
      renderOutput={() => null}
    >
      {null}
    </Transcript>
  );
  const { rerender } = render(transcript({}));
  expect(screen.queryByTestId("omitted")).toBeNull();
  rerender(transcript({ omitted_before: 7 }));
  expect(screen.getByTestId("omitted").textContent).toContain("left out");
});
