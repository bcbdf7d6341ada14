// What an agent can do, what it cannot, and what is left of it after a sleep: said before it is chosen.
import { TriangleAlert } from "lucide-react";
import type { Agent } from "@/lib/api/types";

const WORDS: Record<string, string> = {
  permissions: "permission requests",
  questions: "questions",
  plan: "a plan",
  thoughts: "its thoughts",
  modes: "permission modes",
  subagents: "sub-agents",
  diffs: "changes of files",
  interrupt: "a way to stop it",
  screen: "an interface of its own in a terminal",
  shared_screen: "the session's conversation in its own interface",
};

export function AgentFacts({ agent }: { agent: Agent }) {
  const without = Object.entries(WORDS).filter(([name]) => agent.capabilities[name] === false);
  const kept = Object.entries(agent.survives_resume).filter(([, survives]) => survives);
  return (
    <div data-testid="agent-facts" className="flex flex-col gap-1 text-sm text-muted">
      {!agent.is_installed && (
        <p className="flex gap-2 text-attention">
          <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
          <span>
            {agent.name} is not installed here. Whoever runs this server can install it with{" "}
            <code>make agents</code>.
          </span>
        </p>
      )}
      {agent.notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
      {without.length > 0 && (
        <p>
          {agent.name} does not offer: {without.map(([, words]) => words).join(", ")}.
        </p>
      )}
      <p>
        After the session has slept, {agent.name} still has its {kept.map(([name]) => name).join(" and its ")}
        .{agent.survives_resume.processes === false && " What runs in the background ends with its box."}
      </p>
      {agent.known_limits.length > 0 && <KnownLimits agent={agent} />}
    </div>
  );
}

/** What the tests saw it not do, or not always, each with its reason; one that several have is said once. */
function KnownLimits({ agent }: { agent: Agent }) {
  const reasons = new Map<string, Set<string>>();
  for (const { promise, reason } of agent.known_limits) {
    reasons.set(reason, (reasons.get(reason) ?? new Set()).add(promise));
  }
  return (
    <details data-testid="agent-limits">
      <summary className="cursor-pointer">Promises that {agent.name} does not keep, or only in part</summary>
      <ul className="mt-1 flex list-disc flex-col gap-1 pl-5">
        {[...reasons].map(([reason, promises]) => (
          <li key={reason}>
            {[...promises].join("; ")}. <span className="text-faint">{reason}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
