// Everything that waits for an answer, over all sessions.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Inbox as InboxIcon } from "lucide-react";
import { AsLastSeen, Empty, Problem, ShowMore, Skeleton } from "@/components/states";
import { RelativeTime } from "@/components/time";
import { inboxQuery } from "@/lib/api/permissions";
import type { Permission } from "@/lib/api/types";
import { askOfPermission } from "./ask";
import { PermissionCard } from "./permission-card";

export function Inbox({ me }: { me: string }) {
  const query = useInfiniteQuery(inboxQuery);
  const permissions = query.data?.pages.flatMap((page) => page.results);
  return (
    <section aria-labelledby="inbox-title" data-testid="inbox">
      <h1 id="inbox-title" className="text-xl font-semibold">
        Inbox
      </h1>
      <p className="mt-1 mb-4 text-sm text-muted">What agents wait for. Nothing is allowed by waiting.</p>
      {query.isPending && <Skeleton lines={4} />}
      {query.error && !query.data && (
        <Problem what="The inbox could not be loaded" error={query.error} onRetry={() => query.refetch()} />
      )}
      {permissions && (query.isError || query.failureCount > 0) && (
        <AsLastSeen data-testid="inbox-outdated" className="mb-4" />
      )}
      {permissions?.length === 0 && (
        <div className="rounded-lg border border-border py-8">
          <Empty icon={<InboxIcon aria-hidden />}>Nobody waits for you.</Empty>
        </div>
      )}
      <ul className="flex flex-col gap-5">
        {permissions?.map((permission) => (
          <InboxEntry key={permission.id} permission={permission} me={me} />
        ))}
      </ul>
      <ShowMore list={query} className="mt-3" />
    </section>
  );
}

function InboxEntry({ permission, me }: { permission: Permission; me: string }) {
  return (
    <li>
      <div className="mb-1 flex items-center gap-3 text-sm">
        <Link
          to="/sessions/$sessionId"
          params={{ sessionId: permission.session }}
          className="truncate font-medium hover:underline"
        >
          {permission.session_title || "Untitled session"}
        </Link>
        <RelativeTime at={permission.asked_at} className="shrink-0 text-xs text-muted" />
      </div>
      <PermissionCard ask={askOfPermission(permission)} agent="The agent" me={me} />
    </li>
  );
}
