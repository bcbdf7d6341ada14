// Deleted sessions: until when each can be restored, and the button that does it.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Trash2, Undo2 } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/components/button";
import { Empty, Problem, ShowMore, Skeleton } from "@/components/states";
import { RelativeTime } from "@/components/time";
import { messageOf } from "@/lib/api/errors";
import { sessionsQuery } from "@/lib/api/sessions";
import type { Session } from "@/lib/api/types";
import { absoluteTime } from "@/lib/time";
import { briefTitleOf, titleOf } from "./titles";
import { useRestoring } from "./use-deletion";

export function DeletedPage() {
  const query = useInfiniteQuery(sessionsQuery({ shelf: "deleted" }));
  const sessions = query.data?.pages.flatMap((page) => page.results);
  return (
    <section aria-labelledby="deleted-title" data-testid="deleted-page">
      <h1 id="deleted-title" className="text-xl font-semibold">
        Deleted sessions
      </h1>
      <p className="mt-1 mb-4 text-sm text-muted">
        A deleted session is kept with its files until the time beside it, then it is removed for ever.
      </p>
      {query.isPending && <Skeleton lines={3} />}
      {query.error && !sessions && (
        <Problem
          what="The deleted sessions could not be loaded"
          error={query.error}
          onRetry={() => query.refetch()}
        />
      )}
      {sessions?.length === 0 && (
        <div className="rounded-lg border border-border py-6">
          <Empty icon={<Trash2 aria-hidden />}>There is nothing to restore.</Empty>
        </div>
      )}
      {sessions && sessions.length > 0 && (
        <ul className="divide-y divide-border rounded-lg border border-border bg-raised">
          {sessions.map((session) => (
            <DeletedRow key={session.id} session={session} />
          ))}
        </ul>
      )}
      <ShowMore list={query} className="mt-1" />
    </section>
  );
}

function DeletedRow({ session }: { session: Session }) {
  const restore = useRestoring();
  const [isBusy, setIsBusy] = useState(false);
  const run = async () => {
    setIsBusy(true);
    try {
      await restore(session.id);
      toast(`“${briefTitleOf(session)}” restored`);
    } catch (error) {
      toast.error(messageOf(error));
      setIsBusy(false);
    }
  };
  return (
    <li className="flex items-center gap-4 px-3 py-2.5" data-testid="deleted-row" data-session={session.id}>
      <div className="min-w-0 flex-1">
        <p className="truncate text-sm font-medium">{titleOf(session)}</p>
        <p className="flex flex-wrap gap-x-3 text-xs text-muted">
          {session.deleted_at && (
            <span>
              deleted <RelativeTime at={session.deleted_at} />
            </span>
          )}
          {session.restorable_until && <span>kept until {absoluteTime(session.restorable_until)}</span>}
        </p>
      </div>
      <Button size="small" disabled={isBusy} onClick={run}>
        <Undo2 className="size-3.5" />
        Restore
      </Button>
    </li>
  );
}
