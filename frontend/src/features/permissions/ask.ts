// What an agent asks, in one shape: the log and the API tell it with slightly different names.
import type { Permission } from "@/lib/api/types";
import { visible } from "@/lib/visible";
import type { PermissionItem } from "@/protocol/conversation";
import type { PermissionType, Question } from "@/protocol/events";

export interface Ask {
  id: string;
  type: PermissionType;
  title: string;
  command: string;
  cwd: string;
  path: string;
  diff: string;
  host: string;
  rule: string;
  questions: Question[];
  state: "pending" | "answered" | "lost";
  choice: string;
  by: string;
  /** Who answered, by name. */
  user: string;
  message: string;
  answers: string[][];
}

export function askOfPermission(permission: Permission): Ask {
  const { session: _session, turn: _turn, answered_by, ...rest } = permission;
  return { ...rest, user: answered_by?.name ?? "" };
}

/** The state of the platform is newer than the log when somebody has just answered. */
export function askOfItem(item: PermissionItem, known: Permission | undefined): Ask {
  const { permission_id: id, permission_type: type, ...rest } = item;
  const ask: Ask = { ...rest, id, type };
  if (item.state !== "pending" || !known || known.state === "pending") return ask;
  const { state, choice, by, message, answers } = askOfPermission(known);
  return { ...ask, state, choice, by, message, answers, user: known.answered_by?.name ?? "" };
}

const CHOICES: Record<string, string> = {
  once: "Allowed once",
  session: "Allowed for this session",
  reject: "Rejected",
  always: "Always allowed",
  never: "Never allowed",
  answered: "Answered",
};

/** What somebody chose, in words. */
export function wordsOf(choice: string): string {
  return CHOICES[choice] ?? (choice || "Answered");
}

/** How it ended, and by whom. */
export function outcomeOf(ask: Ask, me: string): string {
  if (ask.state === "lost" && ask.type === "egress") return "No longer needed: nothing waits for this host";
  if (ask.state === "lost") return "No longer needed: the turn ended before an answer had reached the agent";
  const choice = ask.type === "question" && ask.choice === "once" ? "Answered" : wordsOf(ask.choice);
  if (ask.by === "box") return `${choice} by the box itself, not by a person`;
  if (ask.by === "platform") return `${choice} by OpenAgent`;
  return ask.user ? `${choice} by ${ask.user === me ? "you" : ask.user}` : choice;
}

/** Who asks: of a connection nobody knows which program of the box began it. */
export function askerOf(ask: Ask, agent: string): string {
  return ask.type === "egress" ? "A program in the box" : agent;
}

export function headingOf(ask: Ask): string {
  if (ask.type === "question") return "has a question";
  if (ask.type === "egress") return "wants to reach the network";
  if (ask.command) return "wants to run";
  return ask.diff || ask.path ? "wants to change a file" : "asks for permission";
}

/** One line for lists and bars. */
export function summaryOf(ask: Ask): string {
  return visible(ask.command || ask.host || ask.questions[0]?.question || ask.path || ask.title);
}
