// The frame around every page: sidebar, palette, shortcuts, and how many things wait in title and icon.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Outlet, useNavigate, useParams } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { ErrorBoundary } from "@/components/error-boundary";
import { groupSessions } from "@/features/sessions/grouping";
import { Sidebar } from "@/features/sessions/sidebar";
import { inboxQuery, waitingIn } from "@/lib/api/permissions";
import { sessionsQuery } from "@/lib/api/sessions";
import type { Session } from "@/lib/api/types";
import { useIsPhone } from "@/lib/media";
import { setPreference, usePreferences } from "@/lib/preferences";
import { serverNow } from "@/lib/server-clock";
import { useShortcuts } from "@/lib/shortcuts";
import { PaletteAndHelp } from "./palette-and-help";
import { SidebarFooter } from "./sidebar-footer";
import { SidebarHeader } from "./sidebar-header";
import { SidebarSheet } from "./sidebar-sheet";
import { useAttention } from "./use-attention";
import { useNotifications } from "./use-notifications";

export function Shell() {
  const isPhone = useIsPhone();
  const isSidebarShown = usePreferences((preferences) => preferences.isSidebarShown);
  const sessions = useOrderedSessions();
  const inbox = useInfiniteQuery(inboxQuery).data;
  const waiting = waitingIn(inbox);
  const { sessionId } = useParams({ strict: false });
  const [overlay, setOverlay] = useState<"palette" | "help" | null>(null);
  useAttention(waiting);
  useNotifications(useMemo(() => inbox?.pages.flatMap((page) => page.results), [inbox]));
  useShellShortcuts(sessions, sessionId, setOverlay);
  const footer = (onNavigate?: () => void) => (
    <SidebarFooter waiting={waiting} onNavigate={onNavigate} onHelp={() => setOverlay("help")} />
  );
  return (
    <div className="flex h-dvh min-h-0 bg-bg">
      <a
        href="#main"
        className="sr-only z-(--z-toast) rounded-md bg-raised px-3 py-2 focus:not-sr-only focus:absolute focus:top-2 focus:left-2"
      >
        Skip to the conversation
      </a>
      {!isPhone && isSidebarShown && (
        <div className="w-65 shrink-0 border-border border-r">
          <ErrorBoundary name="The list of sessions">
            <Sidebar
              currentId={sessionId}
              header={<SidebarHeader onHide={hideSidebar} />}
              footer={footer()}
            />
          </ErrorBoundary>
        </div>
      )}
      {isPhone && (
        <SidebarSheet>
          {(close) => (
            <Sidebar
              currentId={sessionId}
              header={<SidebarHeader onHide={close} />}
              footer={footer(close)}
              onNavigate={close}
            />
          )}
        </SidebarSheet>
      )}
      <div className="flex min-w-0 flex-1 flex-col">
        <ErrorBoundary key={sessionId ?? "page"} name="This page">
          <Outlet />
        </ErrorBoundary>
      </div>
      <PaletteAndHelp
        open={overlay}
        sessions={sessions}
        currentId={sessionId}
        onClose={() => setOverlay(null)}
        onHelp={() => setOverlay("help")}
      />
    </div>
  );
}

function hideSidebar(): void {
  setPreference({ isSidebarShown: false });
}

/** The loaded sessions in the order of the sidebar. */
function useOrderedSessions(): Session[] {
  const query = useInfiniteQuery(sessionsQuery());
  const sessions = query.data?.pages.flatMap((page) => page.results) ?? [];
  return groupSessions(sessions, serverNow()).flatMap((group) => group.sessions);
}

function useShellShortcuts(
  sessions: Session[],
  currentId: string | undefined,
  setOverlay: (overlay: "palette" | "help") => void,
): void {
  const navigate = useNavigate();
  const step = (by: number) => {
    const index = sessions.findIndex((session) => session.id === currentId);
    const next = index < 0 ? sessions[0] : sessions[index + by];
    if (next) void navigate({ to: "/sessions/$sessionId", params: { sessionId: next.id } });
  };
  useShortcuts({
    palette: () => setOverlay("palette"),
    help: () => setOverlay("help"),
    "new-session": () => void navigate({ to: "/" }),
    sidebar: () => setPreference({ isSidebarShown: !usePreferences.getState().isSidebarShown }),
    "previous-session": () => step(-1),
    "next-session": () => step(1),
  });
}
