// Sessions: lists, one, and everything that can be done with one.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answerOf, api, fileOf } from "./client";
import { pollInterval } from "./polling";
import type { Conversation, NewSession, Prompt, Session, SessionChange } from "./types";

const REFRESH_MS = 5_000;
const PAGE = 50;

/** The `cursor` of a page's address. */
export function cursorOf(address: string | null): string | undefined {
  return address ? (new URL(address, location.origin).searchParams.get("cursor") ?? undefined) : undefined;
}

/** Those of the sidebar, the archived ones or the deleted ones. */
type Shelf = "present" | "archived" | "deleted";

/** A list of sessions. There is no socket for lists, so it is asked for again and again. */
export function sessionsQuery({ q = "", shelf = "present" }: { q?: string; shelf?: Shelf } = {}) {
  return infiniteQueryOptions({
    queryKey: ["sessions", { q, shelf }],
    queryFn: ({ pageParam }) =>
      answerOf(
        api.GET("/api/v1/sessions/", {
          params: {
            query: {
              limit: PAGE,
              ...(shelf === "deleted" ? { deleted: true } : { archived: shelf === "archived" }),
              ...(q && { q }),
              ...(pageParam && { cursor: pageParam }),
            },
          },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => cursorOf(page.next ?? null),
    refetchInterval: pollInterval,
    refetchIntervalInBackground: true,
    staleTime: REFRESH_MS,
  });
}

export function sessionQuery(id: string) {
  return queryOptions({
    queryKey: ["session", id],
    queryFn: () => answerOf(api.GET("/api/v1/sessions/{id}/", { params: { path: { id } } })),
    staleTime: REFRESH_MS,
  });
}

export async function loadConversation(id: string): Promise<Conversation> {
  const answer = await answerOf(api.GET("/api/v1/sessions/{id}/conversation/", { params: { path: { id } } }));
  // The fold on the other side makes items and plan; the shared fixtures hold both to the same shapes.
  return answer as unknown as Conversation;
}

export function createSession(body: NewSession): Promise<Session> {
  return answerOf(api.POST("/api/v1/sessions/", { body }));
}

export function changeSession(id: string, body: SessionChange): Promise<Session> {
  return answerOf(api.PATCH("/api/v1/sessions/{id}/", { params: { path: { id } }, body }));
}

export function deleteSession(id: string): Promise<undefined> {
  return answerOf(api.DELETE("/api/v1/sessions/{id}/", { params: { path: { id } } }));
}

/** Brings a deleted session back, asleep. */
export function restoreSession(id: string): Promise<Session> {
  return answerOf(api.POST("/api/v1/sessions/{id}/restore/", { params: { path: { id } } }));
}

export function startSession(id: string): Promise<Session> {
  return answerOf(api.POST("/api/v1/sessions/{id}/start/", { params: { path: { id } } }));
}

export function stopSession(id: string): Promise<Session> {
  return answerOf(api.POST("/api/v1/sessions/{id}/stop/", { params: { path: { id } } }));
}

/** For an hour it is not put to sleep, whether somebody does something or not. */
export function keepSession(id: string): Promise<Session> {
  return answerOf(api.POST("/api/v1/sessions/{id}/keep/", { params: { path: { id } } }));
}

export function letSessionSleep(id: string): Promise<undefined> {
  return answerOf(api.DELETE("/api/v1/sessions/{id}/keep/", { params: { path: { id } } }));
}

export function interruptTurn(id: string, turn: string): Promise<Session> {
  return answerOf(api.POST("/api/v1/sessions/{id}/interrupt/", { params: { path: { id } }, body: { turn } }));
}

/** Idempotent by the prompt's id: the same one may be sent again after a failure. */
export function sendPrompt(id: string, body: { id: string; text: string; due_at?: string }): Promise<Prompt> {
  return answerOf(api.POST("/api/v1/sessions/{id}/prompts/", { params: { path: { id } }, body }));
}

export function editPrompt(id: string, prompt_id: string, text: string): Promise<Prompt> {
  const params = { path: { id, prompt_id } };
  return answerOf(api.PATCH("/api/v1/sessions/{id}/prompts/{prompt_id}/", { params, body: { text } }));
}

/** One that waits for its time does not wait any longer. */
export function sendNow(id: string, prompt_id: string): Promise<Prompt> {
  const params = { path: { id, prompt_id } };
  return answerOf(
    api.PATCH("/api/v1/sessions/{id}/prompts/{prompt_id}/", { params, body: { due_at: null } }),
  );
}

export function withdrawPrompt(id: string, prompt_id: string): Promise<undefined> {
  return answerOf(
    api.DELETE("/api/v1/sessions/{id}/prompts/{prompt_id}/", { params: { path: { id, prompt_id } } }),
  );
}

/** The conversation as a file, for people or for programs. */
export function exportConversation(id: string, as: "markdown" | "json"): Promise<Blob> {
  return fileOf(`/api/v1/sessions/${id}/conversation/export/?as=${as}`);
}
