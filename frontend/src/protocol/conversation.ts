// The folded log: what `sessions/{id}/conversation/` returns and what the transcript shows.
import type {
  AgentConfig,
  AgentInfo,
  ErrorClass,
  ErrorData,
  FileDiff,
  Location,
  PermissionChoice,
  PermissionType,
  PlanEntry,
  Question,
  StopReason,
  ToolKind,
  ToolStatus,
} from "./events";

export interface TextItem {
  type: "message" | "thought";
  seq: number;
  started_at: string;
  ended_at: string | null;
  part_id: string;
  text: string;
  done: boolean;
  /** It was broken off: what there is of it is not what was meant. */
  broken: boolean;
  parent_tool_call_id: string;
}

export interface ToolItem {
  type: "tool";
  seq: number;
  started_at: string;
  ended_at: string | null;
  tool_call_id: string;
  name: string;
  title: string;
  tool_kind: ToolKind;
  status: ToolStatus;
  input: Record<string, unknown>;
  locations: Location[];
  diffs: FileDiff[];
  error: string;
  duration_ms: number | null;
  parent_tool_call_id: string;
  output: string;
  output_omitted: number;
  /** The agent left some of it out, nobody knows how much. */
  output_gap: boolean;
}

export interface PermissionItem {
  type: "permission";
  seq: number;
  permission_id: string;
  permission_type: PermissionType;
  title: string;
  tool_call_id: string;
  command: string;
  cwd: string;
  path: string;
  diff: string;
  host: string;
  rule: string;
  questions: Question[];
  state: "pending" | "answered" | "lost";
  choice: PermissionChoice | "";
  by: "" | "user" | "platform" | "box";
  user: string;
  message: string;
  answers: string[][];
}

export interface ErrorItem {
  type: "error";
  seq: number;
  class: ErrorClass;
  message: string;
  retry_at: string;
}

export interface SuppressedItem {
  type: "suppressed";
  seq: number;
  kind: string;
  count: number;
}

export type Item = TextItem | ToolItem | PermissionItem | ErrorItem | SuppressedItem;

export interface TurnUsage {
  calls: number;
  input: number;
  output: number;
  cached: number;
  reasoning: number;
}

export interface Turn {
  id: string;
  seq: number;
  prompt: string;
  by: string;
  model: string;
  started_at: string;
  ended_at: string | null;
  status: "running" | "ended";
  stop_reason: StopReason | null;
  error: ErrorData | null;
  items: Item[];
  plan: PlanEntry[];
  usage: TurnUsage;
}

export interface Notice {
  seq: number;
  kind: string;
  ts: string;
  data: Record<string, unknown>;
}

export interface Conversation {
  last_seq: number;
  gen: number;
  agent: AgentInfo | null;
  config: AgentConfig | null;
  turns: Turn[];
  notices: Notice[];
  /** Only of a log that is too long for one answer: what comes before this number is left out. */
  omitted_before?: number;
}

export const EMPTY: Conversation = {
  last_seq: 0,
  gen: 0,
  agent: null,
  config: null,
  turns: [],
  notices: [],
};
