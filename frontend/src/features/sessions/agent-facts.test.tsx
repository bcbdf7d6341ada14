// What is said of an agent before it is chosen.
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Agent } from "@/lib/api/types";
import { AgentFacts } from "./agent-facts";

test("what is left of a session that slept is said, and what is not", () => {
  const agent = {
    name: "Ada",
    capabilities: { plan: false },
    survives_resume: { files: true, conversation: true, processes: false },
    notes: [] as string[],
    known_limits: [] as Agent["known_limits"],
    is_installed: true,
  } as Partial<Agent> as Agent;
  render(<AgentFacts agent={agent} />);
  const facts = screen.getByTestId("agent-facts").textContent;
  expect(facts).toContain("Ada does not offer: a plan.");
  expect(facts).toContain("Ada still has its files and its conversation.");
  expect(facts).toContain("What runs in the background ends with its box.");
});

const able = {
  name: "Able",
  is_installed: true,
  capabilities: { plan: false, questions: true },
  survives_resume: { files: true, conversation: true, processes: false },
  notes: [] as string[],
  known_limits: [] as Agent["known_limits"],
} as Partial<Agent> as Agent;

test("one that is not installed says so, and how it is", () => {
  render(<AgentFacts agent={{ ...able, is_installed: false }} />);
  expect(screen.getByText(/Able is not installed here/).textContent).toContain("make agents");
});

test("what it was seen not to do has its reason, once", () => {
  const reason = "It has no such tool.";
  const promises = ["Asks questions", "Asks questions", "Publishes a plan"];
  render(<AgentFacts agent={{ ...able, known_limits: promises.map((promise) => ({ promise, reason })) }} />);
  const items = screen.getByTestId("agent-limits").querySelectorAll("li");
  expect([...items].map((item) => item.textContent)).toEqual([`Asks questions; Publishes a plan. ${reason}`]);
});

test("one that has kept every promise has nothing to excuse", () => {
  render(<AgentFacts agent={able} />);
  expect(screen.queryByTestId("agent-limits")).toBeNull();
});
