// Terminals in a session's box. Their bytes go over sockets of their own; the list comes with the session's state.
import { answerOf, api, requestHeaders } from "./client";
import { problemOf, Unreachable } from "./errors";
import type { NewTerminal, Terminal } from "./types";

/** Idempotent by the terminal's id: the same one may be asked for again after a failure. */
export function openTerminal(id: string, body: NewTerminal): Promise<Terminal> {
  return answerOf(api.POST("/api/v1/sessions/{id}/terminals/", { params: { path: { id } }, body }));
}

export function renameTerminal(id: string, terminal_id: string, title: string): Promise<Terminal> {
  const params = { path: { id, terminal_id } };
  return answerOf(api.PATCH("/api/v1/sessions/{id}/terminals/{terminal_id}/", { params, body: { title } }));
}

/** Ends its programs and forgets what it showed. */
export function removeTerminal(id: string, terminal_id: string): Promise<undefined> {
  const params = { path: { id, terminal_id } };
  return answerOf(api.DELETE("/api/v1/sessions/{id}/terminals/{terminal_id}/", { params }));
}

/** What is kept of its output, as a file. */
export async function loadTranscript(
  id: string,
  terminal: string,
  as: "text" | "raw" | "asciicast",
): Promise<Blob> {
  let response: Response;
  try {
    const address = `/api/v1/sessions/${id}/terminals/${terminal}/transcript/?as=${as}`;
    response = await fetch(address, { credentials: "same-origin", headers: requestHeaders("GET") });
  } catch {
    throw new Unreachable();
  }
  if (!response.ok) throw problemOf(response, await response.json().catch(() => null));
  return response.blob();
}
