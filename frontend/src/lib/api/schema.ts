// The REST API of the platform as openapi-fetch reads it: written by hand until `npm run types` generates it from
// the platform's own description. Everything else imports the names in types.ts, so only that file follows.
import type { Conversation } from "@/protocol/conversation";
import type { ErrorData, LogEvent, Question } from "@/protocol/events";

export interface Person {
  id: string;
  name: string;
}

export interface Me {
  id: string;
  email: string;
  name: string;
  is_staff: boolean;
  has_keys: boolean;
  demo_available: boolean;
  version: string;
}

export interface Agent {
  id: string;
  name: string;
  version: string;
  capabilities: Record<string, boolean>;
  wires: string[];
  survives_resume: { files: boolean; conversation: boolean; processes: boolean };
}

export interface Provider {
  id: string;
  name: string;
  wire: string;
  needs_key: boolean;
  /** What a key looks like. */
  key_hint_format: string;
  key_page: string;
  models: { id: string; name: string }[];
  custom_base_url: boolean;
  has_key: boolean;
}

export interface ProviderKey {
  id: string;
  provider: string;
  label: string;
  hint: string;
  created_at: string;
  last_used_at: string | null;
  status: "untested" | "ok" | "refused";
}

export interface KeyTest {
  /** `ok`, `no_credit`, `refused`, or why nothing is known. */
  code: string;
  message: string;
  key: ProviderKey;
}

export interface AccessToken {
  id: string;
  name: string;
  scopes: string[];
  expires_at: string | null;
  last_used_at: string | null;
  created_at: string;
}

export type SessionStatus =
  | "idle"
  | "queued"
  | "starting"
  | "running"
  | "needs_you"
  | "ready"
  | "asleep"
  | "failed";
export type Mode = "ask" | "accept_edits" | "plan" | "auto";

export interface Usage {
  input: number;
  output: number;
  cached: number;
  reasoning: number;
  calls: number;
}

export interface Instance {
  id: string;
  generation: number;
  state: "requested" | "starting" | "ready" | "stopping" | "stopped" | "lost" | "failed";
  driver: string;
  stages: { name: string; elapsed_ms: number | null }[];
  error: { code: string; message: string } | null;
}

export interface Session {
  id: string;
  title: string;
  agent: string;
  provider: string;
  model: string;
  key: string | null;
  mode: Mode;
  status: SessionStatus;
  status_detail: string;
  paused: boolean;
  archived: boolean;
  created_at: string;
  updated_at: string;
  last_seq: number;
  generation: number;
  queued_prompts: number;
  pending_permissions: number;
  usage: Usage;
  instance: Instance | null;
  turn: string | null;
}

export interface Prompt {
  id: string;
  text: string;
  state: "queued" | "sent" | "running" | "done" | "failed" | "cancelled" | "interrupted";
  position: number | null;
  created_at: string;
  by: Person | null;
  error: ErrorData | null;
}

export interface Permission {
  id: string;
  session: string;
  session_title: string;
  turn: string | null;
  type: "tool" | "question" | "egress";
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
  choice: "" | "once" | "session" | "reject" | "answered" | "lost";
  message: string;
  answers: string[][];
  by: "" | "user" | "platform" | "box";
  answered_by: Person | null;
  asked_at: string;
  answered_at: string | null;
}

export interface PermissionAnswer {
  choice: "once" | "session" | "reject";
  message?: string;
  answers?: string[][];
}

export interface FileEntry {
  name: string;
  type: "file" | "dir" | "link" | "other";
  size: number;
  modified_at: string | null;
}

export interface FileListing {
  path: string;
  entries: FileEntry[];
  truncated: boolean;
}

export interface NewSession {
  id?: string;
  agent?: string;
  provider?: string;
  model?: string;
  key?: string | null;
  title?: string;
  mode?: Mode;
  prompt?: { id: string; text: string };
}

export type SessionChange = Partial<
  Pick<Session, "title" | "model" | "provider" | "key" | "mode" | "archived">
>;

export interface Page<T> {
  next: string | null;
  previous: string | null;
  results: T[];
}

/** What the platform may answer in a list's place: all at once. */
export interface All<T> {
  results: T[];
}

type Path<P> = [P] extends [never] ? { path?: never } : { path: P };
type Query<Q> = [Q] extends [never] ? { query?: never } : { query?: Q };
type Body<B> = [B] extends [never]
  ? { requestBody?: never }
  : { requestBody: { content: { "application/json": B } } };

type Call<Answer, B = never, P = never, Q = never> = Body<B> & {
  parameters: Path<P> & Query<Q>;
  responses: {
    200: { content: { "application/json": Answer } };
    default: { content: { "application/problem+json": Record<string, unknown> } };
  };
};

interface Id {
  id: string;
}

export interface paths {
  "/api/v1/setup/": {
    get: Call<{ needed: boolean; code_required: boolean }>;
    post: Call<Me, { email: string; password: string; name?: string; code?: string }>;
  };
  "/api/v1/me/": { get: Call<Me> };
  "/api/v1/agents/": { get: Call<All<Agent>> };
  "/api/v1/providers/": { get: Call<All<Provider>> };
  "/api/v1/keys/": {
    get: Call<All<ProviderKey>>;
    post: Call<ProviderKey, { provider: string; label?: string; key: string }>;
  };
  "/api/v1/keys/{id}/": {
    put: Call<ProviderKey, { key: string }, Id>;
    patch: Call<ProviderKey, { label: string }, Id>;
    delete: Call<undefined, never, Id>;
  };
  "/api/v1/keys/{id}/test/": { post: Call<KeyTest, never, Id> };
  "/api/v1/tokens/": {
    get: Call<All<AccessToken>>;
    post: Call<
      AccessToken & { token: string },
      { name: string; scopes: string[]; expires_at: string | null }
    >;
  };
  "/api/v1/tokens/{id}/": { delete: Call<undefined, never, Id> };
  "/api/v1/client-errors/": {
    post: Call<undefined, { message: string; stack?: string; url?: string; session?: string }>;
  };
  "/api/v1/sessions/": {
    get: Call<
      Page<Session>,
      never,
      never,
      { status?: string; q?: string; archived?: string; limit?: number; cursor?: string }
    >;
    post: Call<Session, NewSession>;
  };
  "/api/v1/sessions/{id}/": {
    get: Call<Session, never, Id>;
    patch: Call<Session, SessionChange, Id>;
    delete: Call<undefined, never, Id>;
  };
  "/api/v1/sessions/{id}/start/": { post: Call<Session, never, Id> };
  "/api/v1/sessions/{id}/stop/": { post: Call<Session, never, Id> };
  "/api/v1/sessions/{id}/interrupt/": { post: Call<Session, { turn: string }, Id> };
  "/api/v1/sessions/{id}/prompts/": { post: Call<Prompt, { id: string; text: string }, Id> };
  "/api/v1/sessions/{id}/prompts/{prompt_id}/": {
    patch: Call<Prompt, { text: string }, Id & { prompt_id: string }>;
    delete: Call<undefined, never, Id & { prompt_id: string }>;
  };
  "/api/v1/sessions/{id}/conversation/": { get: Call<Conversation, never, Id> };
  "/api/v1/sessions/{id}/events/": {
    get: Call<All<LogEvent>, never, Id, { after?: number; limit?: number }>;
  };
  "/api/v1/sessions/{id}/files/": { get: Call<FileListing, never, Id, { path: string }> };
  "/api/v1/permissions/": { get: Call<Page<Permission>, never, never, { state?: string; session?: string }> };
  "/api/v1/permissions/{id}/answer/": { post: Call<Permission, PermissionAnswer, Id> };
}
