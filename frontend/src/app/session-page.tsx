// One session: title bar, conversation, composer, and the panel beside them; on a phone one of these at a time.
import { useSearch } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { ErrorBoundary } from "@/components/error-boundary";
import { Split } from "@/components/split";
import { Skeleton } from "@/components/states";
import { Announcer } from "@/features/conversation/announcer";
import { useHoldSession, useLiveSession } from "@/lib/live/session-store";
import { useIsNarrow, useIsPhone } from "@/lib/media";
import { useShortcuts } from "@/lib/shortcuts";
import { markSeen } from "@/lib/unread";
import { Chat } from "./chat";
import { GonePage } from "./gone-page";
import { PhoneTabs } from "./phone-tabs";
import { SessionBar } from "./session-bar";
import { SessionPanel } from "./session-panel";
import { useDocumentTitle } from "./use-attention";
import { useFreshLists } from "./use-fresh-lists";
import { usePanelToggle } from "./use-panel-toggle";
import { useTerminalToggle } from "./use-terminal-toggle";

export function SessionPage({ id }: { id: string }) {
  useHoldSession(id);
  useFreshLists(id);
  const connection = useLiveSession(id, (live) => live.connection);
  const isLoaded = useLiveSession(id, (live) => live.loaded);
  const title = useLiveSession(id, (live) => live.state?.session.title);
  const lastSeq = useLiveSession(id, (live) => live.conversation.last_seq);
  useDocumentTitle(title || "Session");
  useEffect(() => markSeen(id, lastSeq), [id, lastSeq]);
  if (connection.state === "ended" && connection.reason === "gone") {
    return <GonePage id={id} />;
  }
  return (
    <>
      <SessionBar id={id} />
      {isLoaded ? <Body id={id} /> : <Loading />}
      <Announcer session={id} />
    </>
  );
}

function Loading() {
  return (
    <main id="main" tabIndex={-1} aria-busy="true" className="mx-auto w-full max-w-180 flex-1 p-4">
      <Skeleton lines={8} />
    </main>
  );
}

function Body({ id }: { id: string }) {
  const isPhone = useIsPhone();
  const isNarrow = useIsNarrow();
  const { panel } = useSearch({ from: "/sessions/$sessionId" });
  const { isShown, toggle } = usePanelToggle(id);
  useShortcuts({ panel: toggle, terminal: useTerminalToggle(id) });
  const chat = (
    <ErrorBoundary name="The conversation">
      <Chat id={id} />
    </ErrorBoundary>
  );
  const side = (
    <ErrorBoundary name="The panel">
      <SessionPanel id={id} />
    </ErrorBoundary>
  );
  if (isPhone) {
    return (
      <>
        {panel ? <PanelAsPage>{side}</PanelAsPage> : chat}
        <PhoneTabs session={{ id, tab: panel ?? "chat" }} />
      </>
    );
  }
  // Beside a narrow conversation nobody can read a diff: there the panel takes its place.
  if (isNarrow) return panel ? <PanelAsPage>{side}</PanelAsPage> : chat;
  if (!isShown) return chat;
  return <Split name="panel" defaultWidth={420} label="the workspace panel" main={chat} side={side} />;
}

/** Where the panel takes the conversation's place, it is what the page is about. */
function PanelAsPage({ children }: { children: ReactNode }) {
  return (
    <main id="main" tabIndex={-1} className="flex min-h-0 flex-1 flex-col outline-none">
      {children}
    </main>
  );
}
