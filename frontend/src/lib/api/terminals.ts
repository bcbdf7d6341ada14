// Terminals in a session's box. Their bytes go over sockets of their own; the list comes with the session's state.
import { requestHeaders } from "./client";
import { problemOf, Unreachable } from "./errors";
import type { NewTerminal, Terminal } from "./types";

async function call<T>(method: string, address: string, body?: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(address, {
      method,
      credentials: "same-origin",
      headers: {
        ...requestHeaders(method),
        ...(body !== undefined && { "Content-Type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Unreachable();
  }
  const answer = response.status === 204 ? undefined : await response.json().catch(() => null);
  if (!response.ok) throw problemOf(response, answer);
  return answer as T;
}

const terminalsOf = (session: string) => `/api/v1/sessions/${session}/terminals/`;

/** Idempotent by the terminal's id: the same one may be asked for again after a failure. */
export function openTerminal(session: string, body: NewTerminal): Promise<Terminal> {
  return call("POST", terminalsOf(session), body);
}

export function renameTerminal(session: string, id: string, title: string): Promise<Terminal> {
  return call("PATCH", `${terminalsOf(session)}${id}/`, { title });
}

/** Ends its programs and forgets what it showed. */
export function removeTerminal(session: string, id: string): Promise<undefined> {
  return call("DELETE", `${terminalsOf(session)}${id}/`);
}

export function transcriptAddress(session: string, id: string, as: "text" | "raw" | "asciicast"): string {
  return `${terminalsOf(session)}${id}/transcript/?as=${as}`;
}
