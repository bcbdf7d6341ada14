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
    is_installed: true,
  } as Partial<Agent> as Agent;
  render(<AgentFacts agent={agent} />);
  const facts = screen.getByTestId("agent-facts").textContent;
  expect(facts).toContain("Ada does not offer: a plan.");
  expect(facts).toContain("Ada still has its files and its conversation.");
  expect(facts).toContain("What runs in the background ends with its box.");
});
