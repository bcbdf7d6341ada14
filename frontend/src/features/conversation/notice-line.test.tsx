// What happened between turns: the newest failure is a card, those before it are history.
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Notice } from "@/protocol/conversation";
import { NoticeLine } from "./notice-line";

const lost: Notice = {
  seq: 1,
  kind: "instance.lost",
  ts: "2026-11-22T10:00:00Z",
  data: { reason: "crash", message: "The sidecar ended." },
};

test("a failure that is past keeps its words and loses its card and its advice", () => {
  const { rerender } = render(<NoticeLine notice={lost} isPast={false} />);
  expect(screen.getByTestId("notice").textContent).toContain("the next prompt starts it again");
  rerender(<NoticeLine notice={lost} isPast />);
  expect(screen.getByTestId("notice").textContent).toBe("The box was lost: The sidecar ended.");
});

test("what was said about a host leaves a line", () => {
  const answered: Notice = {
    ...lost,
    kind: "permission.answered",
    data: { permission_id: "a", choice: "always", by: "user", user: "Alice", host: "example.com" },
  };
  render(<NoticeLine notice={answered} isPast />);
  expect(screen.getByTestId("notice").textContent).toBe("example.com: always allowed by Alice");
});
