// What agents ask: the inbox over all sessions, and answering.
import { type InfiniteData, infiniteQueryOptions } from "@tanstack/react-query";
import { answerOf, api } from "./client";
import { isCode } from "./errors";
import { pollInterval } from "./polling";
import { cursorOf } from "./sessions";
import type { Permission, PermissionAnswer, PermissionPage } from "./types";

const REFRESH_MS = 5_000;

export const inboxQuery = infiniteQueryOptions({
  queryKey: ["permissions", "pending"],
  queryFn: ({ pageParam }) =>
    answerOf(
      api.GET("/api/v1/permissions/", {
        params: { query: { state: "pending", ...(pageParam && { cursor: pageParam }) } },
      }),
    ),
  initialPageParam: "",
  getNextPageParam: (page) => cursorOf(page.next ?? null),
  refetchInterval: pollInterval,
  refetchIntervalInBackground: true,
  staleTime: REFRESH_MS,
});

/** How many wait, in words: empty if none does, with a plus if there are more than were asked for. */
export function waitingIn(data: InfiniteData<PermissionPage> | undefined): string {
  const count = data?.pages.reduce((sum, page) => sum + page.results.length, 0) ?? 0;
  if (count === 0) return "";
  return data?.pages.at(-1)?.next ? `${count}+` : String(count);
}

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
