// Esc stops the run from the page and from the composer, never from another field.
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useRef } from "react";
import { expect, test, vi } from "vitest";
import { useEscape } from "./use-escape";

function Page({ stop }: { stop: () => void }) {
  const composer = useRef<HTMLTextAreaElement>(null);
  useEscape(stop, composer);
  return (
    <>
      <textarea aria-label="composer" ref={composer} />
      <input aria-label="search" type="search" />
      <button type="button">button</button>
    </>
  );
}

test.each([
  ["composer", 1],
  ["button", 1],
  ["search", 0],
])("Esc in %s stops %i runs", async (name, times) => {
  const stop = vi.fn();
  render(<Page stop={stop} />);
  (name === "button" ? screen.getByText(name) : screen.getByLabelText(name)).focus();
  await userEvent.keyboard("{Escape}");
  expect(stop).toHaveBeenCalledTimes(times);
});
