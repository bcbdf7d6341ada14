// The names by which the screens know the API's shapes. schema.ts is generated from the platform's description.
import type { Conversation as Folded } from "@/protocol/conversation";
import type { VersionedState } from "@/protocol/session-frames";
import type { components } from "./schema";

type Schemas = components["schemas"];

export type AccessToken = Schemas["AccessToken"];
export type ChangeBase = Schemas["ChangeList"]["base"];
export type ChangedFile = Schemas["ChangedFile"];
export type ChangeList = Schemas["ChangeList"];
export type Browser = Schemas["Browser"];
export type Agent = Schemas["Agent"];
export type Budget = Schemas["Budget"];
export type EgressBounds = Schemas["EgressBounds"];
export type EgressRule = Schemas["EgressRule"];
export type FileEntry = Schemas["FileEntry"];
export type Instance = Schemas["Instance"];
export type KeySharing = NonNullable<Schemas["ProviderKey"]["sharing"]>;
export type KeyTest = Schemas["KeyTest"];
export type MadeAccessToken = Schemas["MadeAccessToken"];
export type KeyUse = Schemas["KeyUse"];
export type Me = Schemas["Me"];
export type NewSession = Schemas["NewSessionRequest"];
export type Permission = Schemas["Permission"];
export type PermissionAnswer = Schemas["PermissionAnswerRequest"];
export type Prompt = Schemas["Prompt"];
export type Provider = Schemas["Provider"];
export type ProviderKey = Schemas["ProviderKey"];
export type ReachedHost = Schemas["ReachedHost"];
export type NewBudget = Schemas["NewBudgetRequest"];
export type UsageSummary = Schemas["UsageSummary"];
export type Session = Schemas["Session"];
export type SessionChange = Schemas["PatchedSessionChangeRequest"];
export type Terminal = Schemas["Terminal"];
export type NewTerminal = Schemas["NewTerminalRequest"];
export type PermissionPage = Schemas["PaginatedPermissionList"];
export type SessionEgress = Schemas["SessionEgress"];
export type SessionPage = Schemas["PaginatedSessionList"];

export type EgressPolicy = EgressBounds["loosest"];
export type EgressWish = Session["egress"];
export type Mode = Session["mode"];
export type SessionStatus = Session["status"];
export type Scope = AccessToken["scopes"][number];

/** Items and plan are looser in the description than what the fold makes of them. */
export type Conversation = Folded;

/** What a session's socket sends at hello and after each change. */
export interface SessionState extends VersionedState {
  session: Session;
  /** Those that are not finished. */
  prompts: Prompt[];
  /** Those that wait, and those that were answered in the open turn. */
  permissions: Permission[];
  /** Those that are not removed, oldest first. */
  terminals: Terminal[];
  /** Those that are used up, or nearly. */
  budgets: Omit<Budget, "can_change" | "subject_name">[];
}
