// A session that is not there, perhaps because it was deleted; when somebody restores it, this page is the session again.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { buttonClass } from "@/components/button";
import { sessionsQuery } from "@/lib/api/sessions";
import { reconnect } from "@/lib/live/session-store";
import { NotFound } from "./not-found";
import { PhoneTabs } from "./phone-tabs";

export function GonePage({ id }: { id: string }) {
  useReturn(id);
  return (
    <>
      <NotFound what="There is no such session. It may have been deleted.">
        <Link to="/settings/$section" params={{ section: "deleted" }} className={buttonClass()}>
          Deleted sessions
        </Link>
      </NotFound>
      <PhoneTabs />
    </>
  );
}

/** Connects again when a list that is newer than this page has the session. */
function useReturn(id: string): void {
  const [since] = useState(Date.now);
  const { data, dataUpdatedAt } = useInfiniteQuery(sessionsQuery());
  const isBack =
    dataUpdatedAt > since && data?.pages.some((page) => page.results.some((session) => session.id === id));
  useEffect(() => {
    if (isBack) reconnect(id);
  }, [id, isBack]);
}
