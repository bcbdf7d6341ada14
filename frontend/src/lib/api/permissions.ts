// What agents ask: the inbox over all sessions, and answering.
import { queryOptions } from "@tanstack/react-query";
import { answerOf, api } from "./client";
import { isCode } from "./errors";
import { pollInterval } from "./polling";
import type { Permission, PermissionAnswer } from "./types";

const REFRESH_MS = 5_000;

export const inboxQuery = queryOptions({
  queryKey: ["permissions", "pending"],
  queryFn: () => answerOf(api.GET("/api/v1/permissions/", { params: { query: { state: "pending" } } })),
  refetchInterval: pollInterval,
  refetchIntervalInBackground: true,
  staleTime: REFRESH_MS,
});

export function answerPermission(id: string, body: PermissionAnswer): Promise<Permission> {
  return answerOf(api.POST("/api/v1/permissions/{id}/answer/", { params: { path: { id } }, body }));
}

/** Who was first, when an answer came too late; null for any other error. */
export function whoWasFirst(error: unknown): { name: string; choice: string } | null {
  if (!isCode(error, "already_answered")) return null;
  const { answered_by: by, choice } = error.fields;
  const name = typeof by === "object" && by !== null && "name" in by ? String(by.name) : "somebody else";
  return { name, choice: typeof choice === "string" ? choice : "" };
}
