// Terminals in a session's box. Their bytes go over sockets of their own; the list comes with the session's state.
import { answerOf, api, fileOf } from "./client";
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
export function loadTranscript(
  id: string,
  terminal: string,
  as: "text" | "raw" | "asciicast",
): Promise<Blob> {
  return fileOf(`/api/v1/sessions/${id}/terminals/${terminal}/transcript/?as=${as}`);
}
