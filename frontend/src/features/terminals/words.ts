// What is said about a terminal, and what of it is given to the agent.
import type { Terminal } from "@/lib/api/types";
import type { Exit } from "@/protocol/terminal-frames";

/** By its own name, by what its program calls itself, by its command, or by its number. */
export function nameOf(terminal: Terminal, number: number, programTitle = ""): string {
  const command = terminal.agent ? "The agent" : terminal.command?.join(" ");
  return terminal.title || programTitle || command || `Terminal ${number}`;
}

export function exitWords({
  reason,
  exit_code,
  message,
  offset,
}: Pick<Exit, "reason" | "exit_code" | "message" | "offset">): string {
  switch (reason) {
    case "exited":
      if (exit_code === null) return "The program has ended.";
      return exit_code < 0
        ? `The program was ended by signal ${-exit_code}.`
        : `The program has ended${exit_code === 0 ? "" : ` with ${exit_code}`}.`;
    case "closed":
      return "The terminal was closed.";
    case "failed":
      return message || "The program could not be started.";
    case "stopped":
      return "The box was stopped; this is what the terminal showed.";
    case "lost":
      return `The box was lost, and the terminal with it${offset > 0 ? "; this is what is left of it" : ""}.`;
    default:
      return message || "The terminal is closed.";
  }
}

const MOST_FOR_AGENT = 12_000;

/** Text from a terminal as part of a prompt, in a fence that it cannot close. */
export function forAgent(what: string, text: string): string {
  const kept = text.length > MOST_FOR_AGENT ? `…\n${text.slice(-MOST_FOR_AGENT)}` : text;
  const longest = Math.max(2, ...[...kept.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${what}\n\n${fence}\n${kept}\n${fence}\n`;
}
