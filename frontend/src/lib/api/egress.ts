// What boxes may reach of the network: what holds for a session, what it reached, and a user's own rules.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answerOf, api } from "./client";
import { pollInterval } from "./polling";
import { cursorOf } from "./sessions";
import type { EgressRule } from "./types";

export const boundsQuery = queryOptions({
  queryKey: ["egress", "bounds"],
  queryFn: () => answerOf(api.GET("/api/v1/egress/bounds/")),
  staleTime: 60_000,
});

export const rulesQuery = infiniteQueryOptions({
  queryKey: ["egress", "rules"],
  queryFn: ({ pageParam }) =>
    answerOf(
      api.GET("/api/v1/egress/rules/", { params: { query: { ...(pageParam && { cursor: pageParam }) } } }),
    ),
  initialPageParam: "",
  getNextPageParam: (page) => cursorOf(page.next ?? null),
});

/** What holds for a session and, page by page, the hosts that it reached or was refused. */
export function sessionEgressQuery(id: string) {
  return infiniteQueryOptions({
    queryKey: ["egress", "session", id],
    queryFn: ({ pageParam }) =>
      answerOf(
        api.GET("/api/v1/sessions/{id}/egress/", {
          params: { path: { id }, query: { ...(pageParam && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => cursorOf(page.next ?? null),
    refetchInterval: pollInterval,
  });
}

export function decideOnHost(host: string, verdict: EgressRule["verdict"]): Promise<EgressRule> {
  return answerOf(api.POST("/api/v1/egress/rules/", { body: { host, verdict } }));
}

export function revokeRule(id: string): Promise<undefined> {
  return answerOf(api.DELETE("/api/v1/egress/rules/{id}/", { params: { path: { id } } }));
}
