// What the open session's socket tells is newer than the lists: the sidebar and the inbox follow at once.
import { type InfiniteData, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Session, SessionPage } from "@/lib/api/types";
import { useLiveSession } from "@/lib/live/session-store";

export function useFreshLists(id: string): void {
  const queries = useQueryClient();
  const session = useLiveSession(id, (live) => live.state?.session);
  const pending = session?.pending_permissions;
  useEffect(() => {
    if (!session) return;
    queries.setQueryData(["session", id], session);
    queries.setQueriesData<InfiniteData<SessionPage>>({ queryKey: ["sessions"] }, (data) => {
      if (!data) return data;
      const replace = (row: Session) => (row.id === id ? session : row);
      return { ...data, pages: data.pages.map((page) => ({ ...page, results: page.results.map(replace) })) };
    });
  }, [queries, id, session]);
  useEffect(() => {
    if (pending !== undefined) void queries.invalidateQueries({ queryKey: ["permissions"] });
  }, [queries, pending]);
}
