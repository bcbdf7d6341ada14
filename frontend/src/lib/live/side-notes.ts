// What the log says in passing and the conversation does not keep: how long thoughts took, what the agent does now.
import type { LogEvent } from "@/protocol/events";

export interface SideNotes {
  /** By part id: when its first and last pieces came, on the writer's clock. Only for parts seen as they came. */
  thoughts: ReadonlyMap<string, { firstAt: number; lastAt: number }>;
  /** By tool call id: when it was first seen. */
  tools: ReadonlyMap<string, number>;
  /** The agent waits for its provider; null when it does not. */
  retrying: { message: string; attempt: number; retryAt: string } | null;
  /** Grows with every change of the workspace that the log tells of. */
  workspaceChanges: number;
}

export const NO_SIDE_NOTES: SideNotes = {
  thoughts: new Map(),
  tools: new Map(),
  retrying: null,
  workspaceChanges: 0,
};

export function withSideNote(notes: SideNotes, event: LogEvent): SideNotes {
  switch (event.kind) {
    case "thought.delta":
    case "thought.done":
      return event.seq_end ? notes : withThought(notes, event.data.part_id, Date.parse(event.ts));
    case "tool.upsert":
      return withTool(notes, event);
    case "agent.status": {
      const { status, message = "", attempt = 0, retry_at = "" } = event.data;
      return { ...notes, retrying: status === "retrying" ? { message, attempt, retryAt: retry_at } : null };
    }
    case "message.delta":
    case "turn.ended":
    case "instance.lost":
    case "instance.stopped":
      return notes.retrying ? { ...notes, retrying: null } : notes;
    case "file.changed":
      return { ...notes, workspaceChanges: notes.workspaceChanges + 1 };
    default:
      return notes;
  }
}

function withThought(notes: SideNotes, part: string, at: number): SideNotes {
  const firstAt = notes.thoughts.get(part)?.firstAt ?? at;
  return { ...notes, thoughts: new Map(notes.thoughts).set(part, { firstAt, lastAt: at }) };
}

function withTool(notes: SideNotes, event: LogEvent & { kind: "tool.upsert" }): SideNotes {
  const { tool_call_id: id, status, tool_kind } = event.data;
  const isKnown = notes.tools.has(id);
  const mayHaveWritten = status === "completed" && tool_kind !== "read" && tool_kind !== "search";
  if (isKnown && !mayHaveWritten) return notes;
  return {
    ...notes,
    tools: isKnown ? notes.tools : new Map(notes.tools).set(id, Date.parse(event.ts)),
    workspaceChanges: notes.workspaceChanges + (mayHaveWritten ? 1 : 0),
  };
}
