// What the fold makes of one event's data: new turns, tools and permissions, with every key present.
import type { PermissionItem, ToolItem, Turn } from "./conversation";
import type { LogEvent, PermissionAnswered, PermissionAsked, UsageData } from "./events";

export function emptyTurn(id: string, event: LogEvent): Turn {
  return {
    id,
    seq: event.seq,
    prompt: "",
    by: "",
    model: "",
    started_at: event.ts,
    ended_at: null,
    status: "running",
    stop_reason: null,
    error: null,
    items: [],
    plan: [],
    usage: { calls: 0, input: 0, output: 0, cached: 0, reasoning: 0 },
  };
}

export function emptyTool(event: LogEvent, id: string): ToolItem {
  return {
    type: "tool",
    seq: event.seq,
    started_at: event.ts,
    ended_at: null,
    tool_call_id: id,
    name: "",
    title: "",
    tool_kind: "other",
    status: "pending",
    input: {},
    locations: [],
    diffs: [],
    error: "",
    duration_ms: null,
    parent_tool_call_id: "",
    output: "",
    output_omitted: 0,
    output_gap: false,
  };
}

export function asked(seq: number, data: PermissionAsked): PermissionItem {
  return {
    type: "permission",
    seq,
    permission_id: data.permission_id,
    permission_type: data.type,
    title: data.title,
    tool_call_id: data.tool_call_id ?? "",
    command: data.command ?? "",
    cwd: data.cwd ?? "",
    path: data.path ?? "",
    diff: data.diff ?? "",
    host: data.host ?? "",
    rule: data.rule ?? "",
    questions: data.questions ?? [],
    state: "pending",
    choice: "",
    by: "",
    user: "",
    message: "",
    answers: [],
  };
}

export function answered(item: PermissionItem, data: PermissionAnswered): PermissionItem {
  return {
    ...item,
    state: data.choice === "lost" ? "lost" : "answered",
    choice: data.choice,
    by: data.by,
    user: data.user ?? "",
    message: data.message ?? "",
    answers: data.answers ?? [],
  };
}

export function counted(turn: Turn, data: UsageData): Turn["usage"] {
  const before = data.corrects;
  return {
    calls: turn.usage.calls + (before ? 0 : 1),
    input: turn.usage.input + data.input - (before?.input ?? 0),
    output: turn.usage.output + data.output - (before?.output ?? 0),
    cached: turn.usage.cached + (data.cached ?? 0) - (before?.cached ?? 0),
    reasoning: turn.usage.reasoning + (data.reasoning ?? 0) - (before?.reasoning ?? 0),
  };
}
