// All sessions: search, groups by what they need, and the way to a new one.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ChevronRight, Plus, Search, Trash2, X } from "lucide-react";
import { type ReactNode, useDeferredValue, useEffect, useState } from "react";
import { Button, buttonClass, IconButton } from "@/components/button";
import { AsLastSeen, Empty, Problem, ShowMore, Skeleton } from "@/components/states";
import { StatusMark } from "@/components/status";
import { sessionsQuery } from "@/lib/api/sessions";
import type { Session } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { serverNow } from "@/lib/server-clock";
import { isComposing, keysOf } from "@/lib/shortcuts";
import { useHalfMinutes } from "@/lib/time";
import { isUnread, noteSessions, useSeen } from "@/lib/unread";
import { groupSessions } from "./grouping";
import { SessionMenu } from "./session-actions";
import { titleOf } from "./titles";

interface SidebarProps {
  currentId: string | undefined;
  /** What stands below the list. */
  footer: ReactNode;
  /** What stands above it: the name, and how to hide it. */
  header: ReactNode;
  /** Called when somebody goes somewhere, so that a sheet can close. */
  onNavigate?: () => void;
}

export function Sidebar({ currentId, header, footer, onNavigate }: SidebarProps) {
  const [search, setSearch] = useState("");
  const q = useDeferredValue(search.trim());
  const navigate = useNavigate();
  return (
    <nav aria-label="Sessions" className="flex h-full min-h-0 flex-col bg-side" data-testid="sidebar">
      {header}
      <div className="flex flex-col gap-2 px-2 pb-2">
        <Link
          to="/"
          onClick={onNavigate}
          className={cn(buttonClass({ look: "plain" }), "w-full justify-start")}
          data-testid="new-session"
          title={`New session (${keysOf("new-session").join("+")})`}
        >
          <Plus className="size-3.5" />
          New session
        </Link>
        <div className="relative">
          <Search aria-hidden className="absolute top-1/2 left-2 size-3.5 -translate-y-1/2 text-faint" />
          <input
            type="search"
            aria-label="Search sessions"
            placeholder="Search…"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
            onKeyDown={(event) => {
              if (event.key !== "Escape" || !search || isComposing(event)) return;
              event.preventDefault();
              setSearch("");
            }}
            className="h-(--control) w-full rounded-md border border-transparent bg-hover pr-7 pl-7 text-sm [&::-webkit-search-cancel-button]:hidden"
          />
          {search && (
            <IconButton
              label="Clear the search"
              small
              onClick={() => setSearch("")}
              className="absolute top-0.5 right-0.5"
            >
              <X className="size-3.5" />
            </IconButton>
          )}
        </div>
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto px-2 pb-2">
        <SessionList
          q={q}
          currentId={currentId}
          onNavigate={onNavigate}
          empty={
            q ? (
              <Empty>No session has “{q}” in its title or prompts.</Empty>
            ) : (
              <Empty
                action={
                  <Button size="small" onClick={() => navigate({ to: "/" })}>
                    Start a session
                  </Button>
                }
              >
                There are no sessions yet.
              </Empty>
            )
          }
        />
        <Archive q={q} currentId={currentId} onNavigate={onNavigate} />
      </div>
      {footer}
    </nav>
  );
}

interface ListProps {
  q: string;
  currentId: string | undefined;
  onNavigate: (() => void) | undefined;
}

function SessionList({ q, currentId, onNavigate, empty }: ListProps & { empty: ReactNode }) {
  useHalfMinutes();
  const query = useInfiniteQuery(sessionsQuery({ q }));
  useEffect(() => noteSessions(query.data?.pages.flatMap((page) => page.results) ?? []), [query.data]);
  if (query.isPending) return <Skeleton lines={6} />;
  if (query.error && !query.data) {
    return (
      <Problem what="The sessions could not be loaded" error={query.error} onRetry={() => query.refetch()} />
    );
  }
  const sessions = query.data.pages.flatMap((page) => page.results);
  const isOutdated = query.isError || query.failureCount > 0;
  if (sessions.length === 0) return <div className="h-48">{empty}</div>;
  return (
    <>
      {groupSessions(sessions, serverNow()).map((group) => (
        <section key={group.name} aria-label={group.name}>
          <h2
            className={cn(
              "flex h-7 items-end px-2 pb-1 text-2xs font-semibold tracking-wide text-faint uppercase",
              group.name === "Needs you" && "text-attention",
            )}
          >
            {group.name}
            {group.name === "Needs you" && ` (${group.sessions.length})`}
          </h2>
          <ul>
            {group.sessions.map((session) => (
              <SessionRow
                key={session.id}
                session={session}
                isCurrent={session.id === currentId}
                isOutdated={isOutdated}
                onNavigate={onNavigate}
              />
            ))}
          </ul>
        </section>
      ))}
      {isOutdated && <AsLastSeen data-testid="sessions-outdated" className="sticky bottom-0 mt-2 bg-side" />}
      <ShowMore list={query} className="mt-1" />
    </>
  );
}

interface RowProps {
  session: Session;
  isCurrent: boolean;
  isOutdated?: boolean;
  onNavigate: (() => void) | undefined;
}

function SessionRow({ session, isCurrent, isOutdated = false, onNavigate }: RowProps) {
  const unread = useSeen((seen) => !isCurrent && isUnread(seen, session));
  return (
    <li
      className={cn(
        "group relative flex h-(--row) items-center rounded-md transition-ui hover:bg-hover",
        isCurrent && "bg-active hover:bg-active",
      )}
      data-testid="session-row"
      data-session={session.id}
      data-status={session.status}
    >
      <Link
        to="/sessions/$sessionId"
        params={{ sessionId: session.id }}
        onClick={onNavigate}
        aria-current={isCurrent ? "page" : undefined}
        className="flex h-full min-w-0 flex-1 items-center gap-2 rounded-md pr-8 pl-2 text-sm max-md:pr-12"
        title={session.title}
      >
        <StatusMark status={session.status} isOutdated={isOutdated} />
        <span className={cn("truncate", unread && "font-semibold")}>{titleOf(session)}</span>
        {unread && (
          <span className="ml-auto size-1.5 shrink-0 rounded-full bg-accent">
            <span className="sr-only">unread</span>
          </span>
        )}
      </Link>
      <span className="absolute right-1 opacity-0 focus-within:opacity-100 group-hover:opacity-100 has-data-popup-open:opacity-100 max-md:opacity-100">
        <SessionMenu session={session} isCurrent={isCurrent} />
      </span>
    </li>
  );
}

/** Loaded only when it is opened. */
function Archive({ q, currentId, onNavigate }: ListProps) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <section aria-label="Archive" className="mt-3">
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setIsOpen(!isOpen)}
        className="flex h-7 w-full items-center gap-1 rounded-md px-1.5 text-2xs font-semibold tracking-wide text-faint uppercase hover:bg-hover max-md:h-11"
      >
        <ChevronRight aria-hidden className={cn("size-3 transition-ui", isOpen && "rotate-90")} />
        Archive
      </button>
      {isOpen && (
        <>
          <ArchivedSessions q={q} currentId={currentId} onNavigate={onNavigate} />
          <Link
            to="/settings/$section"
            params={{ section: "deleted" }}
            onClick={onNavigate}
            className="mt-1 flex h-(--row) items-center gap-2 rounded-md px-2 text-xs text-muted hover:bg-hover"
            data-testid="deleted-link"
          >
            <Trash2 aria-hidden className="size-3.5" />
            Deleted sessions
          </Link>
        </>
      )}
    </section>
  );
}

function ArchivedSessions({ q, currentId, onNavigate }: ListProps) {
  const query = useInfiniteQuery(sessionsQuery({ q, shelf: "archived" }));
  if (query.isPending) return <Skeleton lines={2} />;
  if (query.error && !query.data) {
    return (
      <Problem what="The archive could not be loaded" error={query.error} onRetry={() => query.refetch()} />
    );
  }
  const sessions = query.data.pages.flatMap((page) => page.results);
  if (sessions.length === 0) return <p className="px-2 py-1 text-xs text-muted">Nothing is archived.</p>;
  return (
    <ul>
      {sessions.map((session) => (
        <SessionRow
          key={session.id}
          session={session}
          isCurrent={session.id === currentId}
          onNavigate={onNavigate}
        />
      ))}
      <ShowMore list={query} className="mt-1" />
    </ul>
  );
}
