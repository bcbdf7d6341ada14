// Personal access tokens for API clients.
import { queryOptions } from "@tanstack/react-query";
import { answerOf, api } from "./client";
import type { MadeAccessToken, Scope } from "./types";

export const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: async () => (await answerOf(api.GET("/api/v1/tokens/"))).results,
});

/** The answer holds the token itself, this once. */
export function createToken(body: {
  name: string;
  scopes: Scope[];
  expires_at: string | null;
}): Promise<MadeAccessToken> {
  return answerOf(api.POST("/api/v1/tokens/", { body }));
}

export function deleteToken(id: string): Promise<undefined> {
  return answerOf(api.DELETE("/api/v1/tokens/{id}/", { params: { path: { id } } }));
}
