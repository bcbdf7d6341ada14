// Who is signed in and where, signing in and out, the first set-up, and what somebody changes of their own account.
import { queryOptions } from "@tanstack/react-query";
import { answerOf, api, requestHeaders } from "./client";
import { ApiError, isSignedOut, problemOf, Unreachable } from "./errors";
import type { Browser, Me } from "./types";

/** Null when nobody is signed in. */
export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: async (): Promise<Me | null> => {
    try {
      return await answerOf(api.GET("/api/v1/me/"));
    } catch (error) {
      if (isSignedOut(error)) return null;
      throw error;
    }
  },
  staleTime: 60_000,
});

export const setupQuery = queryOptions({
  queryKey: ["setup"],
  queryFn: () => answerOf(api.GET("/api/v1/setup/")),
  staleTime: Number.POSITIVE_INFINITY,
});

/** The groups that exist, to administrators; to others those that they are in. */
export const groupsQuery = queryOptions({
  queryKey: ["groups"],
  queryFn: async () => (await answerOf(api.GET("/api/v1/groups/"))).results,
  staleTime: 60_000,
});

export function setUp(body: { email: string; password: string; name?: string; code?: string }): Promise<Me> {
  return answerOf(api.POST("/api/v1/setup/", { body }));
}

interface AllauthAnswer {
  errors?: { message: string; code: string; param?: string }[];
}

/** allauth has errors of its own shape; screens get ours. */
function allauthProblem(response: Response, body: AllauthAnswer): ApiError {
  const problem = problemOf(response, body);
  const [first] = body.errors ?? [];
  if (!first) return problem;
  const errors = Object.fromEntries((body.errors ?? []).map(({ param, message }) => [param ?? "", message]));
  return new ApiError(response.status, first.code, first.message, { errors });
}

async function allauth(method: "POST" | "DELETE", path: string, body?: object): Promise<Response> {
  try {
    return await fetch(`/_allauth/browser/v1/${path}`, {
      method,
      credentials: "same-origin",
      headers: { ...requestHeaders(method), ...(body && { "Content-Type": "application/json" }) },
      ...(body && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Unreachable();
  }
}

export async function signIn(credentials: { email: string; password: string }): Promise<void> {
  const response = await allauth("POST", "auth/login", credentials);
  // 409: this browser is signed in already, which is what was wanted.
  if (response.ok || response.status === 409) return;
  const body: AllauthAnswer = await response.json().catch(() => ({}));
  throw allauthProblem(response, body);
}

export async function signOut(): Promise<void> {
  const response = await allauth("DELETE", "auth/session");
  // allauth answers 401 when it has signed somebody out: nobody is signed in any more.
  if (!response.ok && response.status !== 401)
    throw problemOf(response, await response.json().catch(() => null));
}

export function changeName(name: string): Promise<Me> {
  return answerOf(api.PATCH("/api/v1/me/", { body: { name } }));
}

/** Ends every other login; this one goes on. */
export async function changePassword(current: string, wanted: string): Promise<void> {
  const body = { current_password: current, new_password: wanted };
  const response = await allauth("POST", "account/password/change", body);
  if (response.ok) return;
  throw allauthProblem(response, await response.json().catch(() => ({})));
}

export const browsersQuery = queryOptions({
  queryKey: ["browsers"],
  queryFn: async (): Promise<Browser[]> => (await answerOf(api.GET("/api/v1/me/browsers/"))).results,
});

export function signOutBrowser(id: string): Promise<undefined> {
  return answerOf(api.DELETE("/api/v1/me/browsers/{id}/", { params: { path: { id } } }));
}

export function signOutOtherBrowsers(): Promise<undefined> {
  return answerOf(api.DELETE("/api/v1/me/browsers/"));
}
