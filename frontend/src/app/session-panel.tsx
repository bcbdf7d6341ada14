// The panel beside the conversation: what the agent changed, the workspace's files, terminals, and the network.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { X } from "lucide-react";
import { useMemo } from "react";
import { toast } from "sonner";
import { buttonClass } from "@/components/button";
import { Tooltip } from "@/components/tooltip";
import { NetworkPanel } from "@/features/network/network-panel";
import { changedFiles } from "@/features/workspace/changes";
import { ReviewPanel } from "@/features/workspace/review-panel";
import { changesQuery } from "@/lib/api/changes";
import { messageOf } from "@/lib/api/errors";
import { startSession } from "@/lib/api/sessions";
import { cn } from "@/lib/cn";
import { useLiveSession } from "@/lib/live/session-store";
import { useIsNarrow, useIsPhone } from "@/lib/media";
import { SessionFiles } from "./session-files";
import type { PanelTab } from "./session-search";
import { Terminals } from "./terminals";
import { useSendToAgent } from "./use-send-to-agent";

export function SessionPanel({ id }: { id: string }) {
  const search = useSearch({ from: "/sessions/$sessionId" });
  const tab: PanelTab = search.panel ?? "changes";
  const navigate = useNavigate();
  const conversation = useLiveSession(id, (live) => live.conversation);
  const files = useMemo(() => changedFiles(conversation), [conversation]);
  const sendToAgent = useSendToAgent(id);
  const { changes, box, disk, wake } = useBox(id);
  const { data: list } = useQuery({ ...changesQuery(id, "start"), enabled: false });
  const openFile = (path: string, file: boolean) =>
    void navigate({
      to: "/sessions/$sessionId",
      params: { sessionId: id },
      search: { panel: "files", ...(path && { path }), ...(file && { file: true }) },
    });
  return (
    <div className="flex min-h-0 flex-1 flex-col" data-testid="session-panel">
      <PanelTabs id={id} tab={tab} changed={list?.total ?? files.length} />
      <div className="min-h-0 flex-1">
        {tab === "changes" && (
          <ReviewPanel
            session={id}
            edits={files}
            changes={changes}
            box={box}
            onWake={wake}
            onOpenFile={(path) => openFile(path, true)}
            onSendToAgent={sendToAgent}
          />
        )}
        {tab === "files" && (
          <SessionFiles id={id} onOpen={openFile} changes={changes} box={box} onWake={wake} disk={disk} />
        )}
        {tab === "terminal" && <Terminals id={id} />}
        {tab === "network" && <Network id={id} />}
      </div>
    </div>
  );
}

const TAB =
  "flex h-full items-center gap-1.5 border-transparent border-b-2 px-2.5 text-sm text-muted transition-ui hover:text-fg aria-[current=page]:border-accent aria-[current=page]:text-fg";

function PanelTabs({ id, tab, changed }: { id: string; tab: PanelTab; changed: number }) {
  const isPhone = useIsPhone();
  const isNarrow = useIsNarrow();
  if (isPhone) return null;
  const link = (name: PanelTab, label: string, count = 0) => (
    <Link
      to="/sessions/$sessionId"
      params={{ sessionId: id }}
      search={{ panel: name }}
      aria-current={tab === name ? "page" : undefined}
      activeOptions={{ includeSearch: true, exact: true }}
      className={TAB}
      data-testid={`tab-${name}`}
    >
      {label}
      {count > 0 && <span className="rounded-full bg-hover px-1.5 text-2xs">{count}</span>}
    </Link>
  );
  return (
    <nav aria-label="Workspace views" className="flex h-9 shrink-0 items-center border-border border-b px-1">
      {link("changes", "Changes", changed)}
      {link("files", "Files")}
      {link("terminal", "Terminal")}
      {link("network", "Network")}
      {isNarrow && (
        <Tooltip label="Back to the conversation">
          <Link
            to="/sessions/$sessionId"
            params={{ sessionId: id }}
            search={{}}
            aria-label="Back to the conversation"
            className={cn(buttonClass({ look: "quiet", size: "smallIcon" }), "ml-auto")}
          >
            <X className="size-4" />
          </Link>
        </Tooltip>
      )}
    </nav>
  );
}

function Network({ id }: { id: string }) {
  const wish = useLiveSession(id, (live) => live.state?.session.egress ?? null);
  return <NetworkPanel session={id} wish={wish} />;
}

/** Whether the workspace can be looked at, and how to have it so. */
function useBox(id: string) {
  const changes = useLiveSession(id, (live) => live.notes.workspaceChanges);
  const state = useLiveSession(id, (live) => live.state?.session.instance?.state);
  const disk = useLiveSession(id, (live) => live.state?.session.disk ?? null);
  const isStarting = state === "requested" || state === "starting";
  const wake = () => startSession(id).catch((error: unknown) => toast.error(messageOf(error)));
  const box = state === "ready" ? "ready" : isStarting ? "starting" : "asleep";
  return { changes, box, disk, wake } as const;
}
