// The log's envelope and the data of each kind, as the platform sends them (sidecar/protocol/messages.py).
// Fields at their default are not sent, so nearly all are optional here.

export type StopReason = "end_turn" | "cancelled" | "interrupted" | "refused" | "max_tokens" | "error";
export type ToolStatus = "pending" | "in_progress" | "completed" | "failed" | "rejected" | "interrupted";
export type ToolKind =
  | "read"
  | "edit"
  | "delete"
  | "move"
  | "search"
  | "execute"
  | "think"
  | "fetch"
  | "other";
export type PermissionType = "tool" | "question" | "egress";
export type PermissionChoice = "once" | "session" | "reject" | "answered" | "lost" | "always" | "never";
export type ErrorClass =
  | "provider_auth"
  | "provider_quota"
  | "provider_rate_limit"
  | "provider_unavailable"
  | "provider_bad_response"
  | "key_missing"
  | "unknown_model"
  | "context_too_long"
  | "agent_crash"
  | "agent_hang"
  | "box_lost"
  | "disk_full"
  | "budget_exceeded"
  | "flood"
  | "clone_failed"
  | "internal";

export interface AgentInfo {
  id: string;
  name: string;
  version: string;
}

export interface ErrorData {
  class: ErrorClass;
  message: string;
  retry_at?: string;
}

export interface TextDelta {
  part_id: string;
  offset: number;
  text: string;
  parent_tool_call_id?: string;
}

export interface TextDone {
  part_id: string;
  length: number;
  broken?: boolean;
}

export interface Location {
  path: string;
  line?: number;
}

export interface FileDiff {
  path: string;
  patch: string;
  additions?: number;
  deletions?: number;
}

export interface ToolUpsert {
  tool_call_id: string;
  name?: string | null;
  title?: string | null;
  tool_kind?: ToolKind | null;
  status?: ToolStatus | null;
  input?: Record<string, unknown> | null;
  locations?: Location[] | null;
  diffs?: FileDiff[] | null;
  error?: string | null;
  duration_ms?: number | null;
  parent_tool_call_id?: string | null;
}

export interface ToolOutput {
  tool_call_id: string;
  offset: number;
  text: string;
  omitted?: number;
  gap?: boolean;
}

export interface PlanEntry {
  content: string;
  status?: "pending" | "in_progress" | "completed" | "cancelled";
  priority?: "high" | "medium" | "low";
}

export interface Question {
  question: string;
  header?: string;
  options?: { label: string; description?: string }[];
  multiple?: boolean;
  custom?: boolean;
}

export interface PermissionAsked {
  permission_id: string;
  type: PermissionType;
  title: string;
  tool_call_id?: string;
  command?: string;
  cwd?: string;
  path?: string;
  diff?: string;
  host?: string;
  rule?: string;
  questions?: Question[];
}

export interface PermissionAnswered {
  permission_id: string;
  choice: PermissionChoice;
  by: "user" | "platform" | "box";
  user?: string;
  message?: string;
  answers?: string[][];
  host?: string;
}

export interface Counted {
  input: number;
  output: number;
  cached?: number;
  reasoning?: number;
  written?: number;
}

export interface UsageData {
  request_id: string;
  provider: string;
  model: string;
  input: number;
  output: number;
  cached?: number;
  reasoning?: number;
  written?: number;
  estimated?: boolean;
  corrects?: Counted | null;
}

export interface AgentConfig {
  modes?: { id: string; name: string; description?: string }[];
  models?: string[];
  commands?: string[];
  mode?: string;
  model?: string;
}

interface DataOf {
  "instance.started": { agent: AgentInfo; model?: string; driver?: string; resumed?: boolean };
  "instance.stopped": { reason: string };
  "instance.lost": { reason: string; message?: string };
  "turn.started": { prompt: string; by?: string; model?: string };
  "turn.ended": { stop_reason: StopReason; error?: ErrorData | null };
  "message.delta": TextDelta;
  "message.done": TextDone;
  "thought.delta": TextDelta;
  "thought.done": TextDone;
  "tool.upsert": ToolUpsert;
  "tool.output": ToolOutput;
  plan: { entries: PlanEntry[] };
  "permission.asked": PermissionAsked;
  "permission.answered": PermissionAnswered;
  usage: UsageData;
  "file.changed": { path: string; change?: "created" | "modified" | "deleted" };
  "terminal.opened": { terminal_id: string; title?: string; command?: string[]; by?: string };
  "terminal.closed": {
    terminal_id: string;
    reason: "exited" | "closed" | "failed" | "stopped" | "lost";
    exit_code?: number | null;
    message?: string;
  };
  "agent.status": { status: string; message?: string; attempt?: number; retry_at?: string };
  "agent.config": AgentConfig;
  "egress.used": { host: string; port: number; count?: number; bytes_up?: number; bytes_down?: number };
  "egress.blocked": { host: string; port: number; reason: string; count?: number };
  "events.suppressed": { kind: string; count: number };
  error: ErrorData;
}

export type EventKind = keyof DataOf;

interface Envelope<K extends EventKind> {
  v: number;
  seq: number;
  /** The last number that a folded row spans; absent on live events. */
  seq_end?: number | null;
  gen: number;
  turn: string | null;
  ts: string;
  kind: K;
  data: DataOf[K];
}

/** One fact of a session: the union over all kinds, so that `switch (event.kind)` narrows `event.data`. */
export type LogEvent = { [K in EventKind]: Envelope<K> }[EventKind];

/** The last number that an event covers. */
export function lastNumber(event: LogEvent): number {
  return event.seq_end ?? event.seq;
}
