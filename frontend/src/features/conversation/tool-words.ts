// A tool call in words: what is done, and to what.
import { visible } from "@/lib/visible";
import type { ToolItem } from "@/protocol/conversation";
import type { ToolKind, ToolStatus } from "@/protocol/events";

const VERBS: Record<ToolKind, string> = {
  read: "read",
  edit: "edit",
  delete: "delete",
  move: "move",
  search: "search",
  execute: "run",
  think: "think",
  fetch: "fetch",
  other: "use",
};

/** Names that agents share and that say more than the kind does. */
const NAMED: Record<string, string> = {
  list: "list",
  question: "ask",
  task: "delegate",
  todoread: "read",
  todowrite: "update",
  write: "write",
};

export function verbOf(tool: ToolItem): string {
  return NAMED[tool.name.toLowerCase()] ?? VERBS[tool.tool_kind];
}

/** The agent notes its plan, which stands elsewhere; a failure to do so is worth a card. */
export function isPlanUpdate(tool: ToolItem): boolean {
  return tool.name.toLowerCase() === "todowrite" && tool.status !== "failed";
}

const TARGET_FIELDS = ["command", "filePath", "file_path", "path", "pattern", "url", "query", "description"];

function fromInput(tool: ToolItem): string {
  for (const name of TARGET_FIELDS) {
    const value = tool.input[name];
    if (typeof value === "string" && value) return value;
  }
  return "";
}

/** Paths as the user thinks of them: from the workspace on. */
export function shortPath(path: string): string {
  return path.replace(/^\/workspace\/?/, "") || path;
}

export function targetOf(tool: ToolItem): string {
  // A command is shown as it is run, never as the agent describes it.
  const command = tool.input.command;
  if (tool.tool_kind === "execute" && typeof command === "string" && command) return visible(command);
  const target =
    tool.title || tool.locations[0]?.path || fromInput(tool) || (tool.tool_kind === "other" ? tool.name : "");
  return visible(shortPath(target));
}

export const STATUS_TEXT: Record<ToolStatus, string> = {
  pending: "waiting",
  in_progress: "running",
  completed: "done",
  failed: "failed",
  rejected: "rejected",
  interrupted: "interrupted",
};

/** A call that its ended turn left open did not finish, whatever it last said. */
export function shownStatus(tool: ToolItem, isTurnRunning: boolean): ToolStatus {
  const isOpen = tool.status === "pending" || tool.status === "in_progress";
  return isOpen && !isTurnRunning ? "interrupted" : tool.status;
}

/** What the input says beyond the target, for whoever opens the card. */
export function inputDetails(tool: ToolItem): string {
  const command = tool.input.command;
  if (typeof command === "string")
    return command.includes("\n") || command.length > 80 ? visible(command) : "";
  const hidden = new Set(["content", "oldString", "newString", "old_string", "new_string", ...TARGET_FIELDS]);
  const rest = Object.entries(tool.input).filter(([name]) => !hidden.has(name));
  return rest.length ? JSON.stringify(Object.fromEntries(rest), null, 2) : "";
}
