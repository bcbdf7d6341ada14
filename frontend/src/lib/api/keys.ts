// Provider keys (write-only: only a hint comes back), the catalogue of providers, and the agents.
import { queryOptions } from "@tanstack/react-query";
import { answerOf, api } from "./client";
import type { KeySharing, KeyTest, ProviderKey } from "./types";

export const keysQuery = queryOptions({
  queryKey: ["keys"],
  queryFn: async () => (await answerOf(api.GET("/api/v1/keys/"))).results,
});

export const providersQuery = queryOptions({
  queryKey: ["providers"],
  queryFn: async () => (await answerOf(api.GET("/api/v1/providers/"))).results,
  staleTime: 60_000,
});

export const agentsQuery = queryOptions({
  queryKey: ["agents"],
  queryFn: async () => (await answerOf(api.GET("/api/v1/agents/"))).results,
  staleTime: 60_000,
});

export interface NewKey {
  key: string;
  base_url?: string;
}

interface AddedKey extends NewKey {
  provider: string;
  label?: string;
  agrees_to_box?: boolean;
}

export function addKey(body: AddedKey): Promise<ProviderKey> {
  return answerOf(api.POST("/api/v1/keys/", { body }));
}

export function replaceKey(id: string, body: NewKey): Promise<ProviderKey> {
  return answerOf(api.PUT("/api/v1/keys/{id}/", { params: { path: { id } }, body }));
}

export function labelKey(id: string, label: string): Promise<ProviderKey> {
  return answerOf(api.PATCH("/api/v1/keys/{id}/", { params: { path: { id } }, body: { label } }));
}

export function shareKey(id: string, body: KeySharing): Promise<ProviderKey> {
  return answerOf(api.PUT("/api/v1/keys/{id}/sharing/", { params: { path: { id } }, body }));
}

/** The newest uses of one's key. */
export const usesQuery = (id: string) =>
  queryOptions({
    queryKey: ["keys", id, "uses"],
    queryFn: async () =>
      (
        await answerOf(
          api.GET("/api/v1/keys/{id}/uses/", { params: { path: { id }, query: { limit: 100 } } }),
        )
      ).results,
  });

export function testKey(id: string): Promise<KeyTest> {
  return answerOf(api.POST("/api/v1/keys/{id}/test/", { params: { path: { id } } }));
}

export function deleteKey(id: string): Promise<undefined> {
  return answerOf(api.DELETE("/api/v1/keys/{id}/", { params: { path: { id } } }));
}
