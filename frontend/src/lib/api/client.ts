// The one place that talks HTTP to the platform: CSRF, request ids, errors, and noticing that the login ended.
import createClient, { type Middleware } from "openapi-fetch";
import { newId } from "../id";
import { noteServerTime } from "../server-clock";
import { type ApiError, isSignedOut, problemOf, Unreachable } from "./errors";
import type { paths } from "./schema";

type SignedOutListener = () => void;
const signedOutListeners = new Set<SignedOutListener>();

/** Calls `listener` whenever an answer says that nobody is signed in. */
export function onSignedOut(listener: SignedOutListener): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

function csrfToken(): string {
  return /(?:^|;\s*)(?:openagent_)?csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
}

/** Headers of every request; unsafe methods prove that our own page sends them. */
export function requestHeaders(method: string): Record<string, string> {
  const safe = method === "GET" || method === "HEAD";
  return { "X-Request-ID": newId(), ...(!safe && { "X-CSRFToken": csrfToken() }) };
}

const headers: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(requestHeaders(request.method)))
      request.headers.set(name, value);
    return request;
  },
  onResponse({ response }) {
    noteServerTime(response.headers.get("Date"));
  },
};

export const api = createClient<paths>({ credentials: "same-origin" });
api.use(headers);

interface Outcome<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer's body. ApiError when the platform refused, Unreachable when there was no answer. */
export async function answerOf<T>(call: Promise<Outcome<T>>): Promise<T> {
  let outcome: Outcome<T>;
  try {
    outcome = await call;
  } catch {
    throw new Unreachable();
  }
  const { data, error, response } = outcome;
  if (response.ok) return data as T;
  throw refusalOf(response, error);
}

/** What an answer refuses, told to whoever has to know that the login ended. */
function refusalOf(response: Response, body: unknown): ApiError {
  const problem = problemOf(response, body);
  if (isSignedOut(problem)) for (const listener of signedOutListeners) listener();
  return problem;
}

/** The content of a file at an address of the API, with the same errors. */
export async function fileOf(address: string): Promise<Blob> {
  let response: Response;
  try {
    response = await fetch(address, { credentials: "same-origin", headers: requestHeaders("GET") });
  } catch {
    throw new Unreachable();
  }
  if (!response.ok) throw refusalOf(response, await response.json().catch(() => null));
  return response.blob();
}
