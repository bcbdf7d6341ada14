// The question before something is lost: what went wrong the last time is not said again.
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { useState } from "react";
import { expect, test } from "vitest";
import { Confirm } from "./dialog";

function Page() {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setIsOpen(true)}>
        Ask
      </button>
      <Confirm
        open={isOpen}
        onClose={() => setIsOpen(false)}
        title="Delete?"
        action="Delete"
        onConfirm={() => Promise.reject(new Error("no"))}
      >
        What is lost.
      </Confirm>
    </>
  );
}

test.each(["Cancel", "Close"])("a question that is asked again after %s begins anew", async (way) => {
  render(<Page />);
  fireEvent.click(screen.getByText("Ask"));
  fireEvent.click(await screen.findByText("Delete"));
  expect(await screen.findByRole("alert")).toBeTruthy();
  fireEvent.click(way === "Close" ? screen.getByLabelText(way) : screen.getByText(way));
  await waitFor(() => expect(screen.queryByText("Delete?")).toBeNull());
  fireEvent.click(screen.getByText("Ask"));
  expect(await screen.findByText("Delete?")).toBeTruthy();
  expect(screen.queryByRole("alert")).toBeNull();
});
