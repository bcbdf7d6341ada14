// The names by which the screens know the API's shapes; the one place that follows when schema.ts is generated.
import type { VersionedState } from "@/protocol/session-frames";
import type { Permission, Prompt, Session } from "./schema";

export type {
  AccessToken,
  Agent,
  FileEntry,
  FileListing,
  Instance,
  KeyTest,
  Me,
  Mode,
  NewSession,
  Permission,
  PermissionAnswer,
  Prompt,
  Provider,
  ProviderKey,
  Session,
  SessionChange,
  SessionStatus,
  Usage,
} from "./schema";

/** What a session's socket sends at hello and after each change. */
export interface SessionState extends VersionedState {
  session: Session;
  /** Those that are not finished. */
  prompts: Prompt[];
  /** Those that wait, and those that were answered in the open turn. */
  permissions: Permission[];
}
