// The tabs at the bottom of a phone. Within a session they choose what is shown of it.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { FileDiff, Files, Globe, Inbox, MessageSquare, Plus, SquareTerminal } from "lucide-react";
import type { ReactNode } from "react";
import { inboxQuery, waitingIn } from "@/lib/api/permissions";
import { useIsPhone } from "@/lib/media";
import type { PanelTab } from "./session-search";

interface PhoneTabsProps {
  /** The session that is shown, and which part of it. */
  session?: { id: string; tab: PanelTab | "chat" };
}

const TAB =
  "flex h-13 flex-1 flex-col items-center justify-center gap-0.5 text-2xs text-muted aria-[current=page]:text-accent [&_svg]:size-5";

export function PhoneTabs({ session }: PhoneTabsProps) {
  const isPhone = useIsPhone();
  const waiting = waitingIn(useInfiniteQuery(inboxQuery).data);
  if (!isPhone) return null;
  return (
    <nav
      aria-label="Views"
      data-testid="phone-tabs"
      className="flex shrink-0 border-border border-t bg-side pb-[env(safe-area-inset-bottom)]"
    >
      {session ? (
        <>
          <SessionTab session={session} tab="chat" label="Chat" icon={<MessageSquare aria-hidden />} />
          <SessionTab session={session} tab="changes" label="Changes" icon={<FileDiff aria-hidden />} />
          <SessionTab session={session} tab="files" label="Files" icon={<Files aria-hidden />} />
          <SessionTab
            session={session}
            tab="terminal"
            label="Terminal"
            icon={<SquareTerminal aria-hidden />}
          />
          <SessionTab session={session} tab="network" label="Network" icon={<Globe aria-hidden />} />
        </>
      ) : (
        <Link to="/" className={TAB}>
          <Plus aria-hidden />
          New
        </Link>
      )}
      <Link to="/inbox" className={TAB}>
        <Inbox aria-hidden className={waiting ? "text-attention" : undefined} />
        <span>Inbox{waiting && ` (${waiting})`}</span>
      </Link>
    </nav>
  );
}

interface SessionTabProps {
  session: { id: string; tab: PanelTab | "chat" };
  tab: PanelTab | "chat";
  label: string;
  icon: ReactNode;
}

function SessionTab({ session, tab, label, icon }: SessionTabProps) {
  return (
    <Link
      to="/sessions/$sessionId"
      params={{ sessionId: session.id }}
      search={tab === "chat" ? {} : { panel: tab }}
      activeOptions={{ includeSearch: true, exact: true }}
      aria-current={session.tab === tab ? "page" : undefined}
      className={TAB}
    >
      {icon}
      {label}
    </Link>
  );
}
