// A tool call in one line; its input, diffs, output and sub-agent's work inside.
import {
  Ban,
  Brain,
  Check,
  ChevronRight,
  CircleDashed,
  CircleX,
  FilePen,
  FileText,
  FolderInput,
  Globe,
  ListTodo,
  LoaderCircle,
  Search,
  SquareTerminal,
  Trash2,
  Waypoints,
  Wrench,
} from "lucide-react";
import { memo, type ReactNode, useState } from "react";
import { DiffCounts, DiffView } from "@/components/diff-view";
import { Elapsed } from "@/components/time";
import { cn } from "@/lib/cn";
import { useIsOutdated, useLiveSession } from "@/lib/live/session-store";
import { duration, took } from "@/lib/time";
import type { ToolItem } from "@/protocol/conversation";
import type { ToolKind, ToolStatus } from "@/protocol/events";
import { useTranscript } from "./context";
import { ToolOutput } from "./tool-output";
import { inputDetails, STATUS_TEXT, shortPath, shownStatus, targetOf, verbOf } from "./tool-words";
import { useExactText } from "./use-exact-text";

const ICONS: Record<ToolKind, typeof Wrench> = {
  read: FileText,
  edit: FilePen,
  delete: Trash2,
  move: FolderInput,
  search: Search,
  execute: SquareTerminal,
  think: Brain,
  fetch: Globe,
  other: Wrench,
};

interface ToolCardProps {
  tool: ToolItem;
  isTurnRunning: boolean;
  /** It may not begin before somebody has allowed it, whatever the agent calls that. */
  isWaiting: boolean;
  /** Something inside waits for an answer: the card may not hide it. */
  isForcedOpen: boolean;
  /** The work of a sub-agent. */
  children: ReactNode;
}

export const ToolCard = memo(function ToolCard({
  tool,
  isTurnRunning,
  isWaiting,
  isForcedOpen,
  children,
}: ToolCardProps) {
  const ref = useExactText<HTMLElement>(tool.output);
  const status = isWaiting ? "pending" : shownStatus(tool, isTurnRunning);
  const [choice, setChoice] = useState<boolean | null>(null);
  const isInteresting =
    status === "failed" || (status === "in_progress" && tool.tool_kind === "execute" && !!tool.output);
  const isOpen = isForcedOpen || (choice ?? isInteresting);
  const hasBody = Boolean(tool.output || tool.error || tool.diffs.length || children || inputDetails(tool));
  return (
    <article
      ref={ref}
      aria-label={`${verbOf(tool)} ${targetOf(tool)}`}
      data-testid="tool-card"
      data-tool={tool.tool_call_id}
      data-kind={tool.tool_kind}
      data-status={status}
      className={cn(
        "measure min-w-0 rounded-md border border-transparent",
        isOpen && hasBody && "border-border bg-raised",
      )}
    >
      <ToolLine
        tool={tool}
        status={status}
        isOpen={isOpen && hasBody}
        hasBody={hasBody}
        onToggle={() => setChoice(!isOpen)}
      />
      {isOpen && hasBody && (
        <ToolBody tool={tool} onUse={() => setChoice(true)}>
          {children}
        </ToolBody>
      )}
    </article>
  );
});

/** The plan is pinned above the conversation; here it is enough that it changed. */
export function PlanUpdate() {
  return (
    <p data-testid="plan-update" className="measure flex h-7 items-center gap-1.5 px-1 text-sm text-muted">
      <ListTodo aria-hidden className="ml-5 size-3.5 shrink-0" />
      updated the plan
    </p>
  );
}

interface ToolLineProps {
  tool: ToolItem;
  status: ToolStatus;
  isOpen: boolean;
  hasBody: boolean;
  onToggle: () => void;
}

function ToolLine({ tool, status, isOpen, hasBody, onToggle }: ToolLineProps) {
  const Icon = tool.name === "task" ? Waypoints : ICONS[tool.tool_kind];
  const additions = tool.diffs.reduce((sum, diff) => sum + (diff.additions ?? 0), 0);
  const deletions = tool.diffs.reduce((sum, diff) => sum + (diff.deletions ?? 0), 0);
  return (
    <button
      type="button"
      aria-expanded={hasBody ? isOpen : undefined}
      disabled={!hasBody}
      onClick={onToggle}
      className="flex h-7 w-full min-w-0 items-center gap-1.5 rounded-md px-1 text-left text-sm transition-ui not-disabled:hover:bg-hover max-md:h-11"
    >
      <ChevronRight
        aria-hidden
        className={cn(
          "size-3.5 shrink-0 text-faint transition-ui",
          isOpen && "rotate-90",
          !hasBody && "invisible",
        )}
      />
      <Icon aria-hidden className="size-3.5 shrink-0 text-muted" />
      <span className="shrink-0 text-muted">{verbOf(tool)}</span>
      <span className="min-w-0 flex-1 truncate font-mono text-xs">{targetOf(tool)}</span>
      {tool.diffs.length > 0 && <DiffCounts additions={additions} deletions={deletions} />}
      <ToolTime tool={tool} status={status} />
      <ToolMark status={status} />
    </button>
  );
}

function ToolTime({ tool, status }: { tool: ToolItem; status: ToolStatus }) {
  const { session } = useTranscript();
  const isOutdated = useIsOutdated(session);
  const since = useLiveSession(session, (live) => live.notes.tools.get(tool.tool_call_id));
  const className = "w-14 shrink-0 text-right text-xs text-faint";
  if (tool.duration_ms !== null) return <span className={className}>{duration(tool.duration_ms)}</span>;
  if (status === "in_progress" && since)
    return <Elapsed since={since} isCounting={!isOutdated} className={className} />;
  const time = took(tool);
  return <span className={className}>{time !== null && duration(time)}</span>;
}

const MARKS: Record<ToolStatus, { icon: typeof Check; tone: string }> = {
  pending: { icon: CircleDashed, tone: "text-faint" },
  in_progress: { icon: LoaderCircle, tone: "text-running motion-safe:animate-spin" },
  completed: { icon: Check, tone: "text-ok" },
  failed: { icon: CircleX, tone: "text-bad" },
  rejected: { icon: Ban, tone: "text-attention" },
  interrupted: { icon: Ban, tone: "text-attention" },
};

function ToolMark({ status }: { status: ToolStatus }) {
  const { session } = useTranscript();
  const isOutdated = useIsOutdated(session);
  const { icon: Icon, tone } = MARKS[status === "in_progress" && isOutdated ? "pending" : status];
  const isSpoken = status === "failed" || status === "rejected" || status === "interrupted";
  return (
    <span className={cn("flex shrink-0 items-center gap-1 text-xs", tone.split(" ")[0])}>
      <span className={cn(!isSpoken && "sr-only")}>{STATUS_TEXT[status]}</span>
      <Icon aria-hidden className={cn("size-3.5", tone)} />
    </span>
  );
}

interface ToolBodyProps {
  tool: ToolItem;
  /** Somebody does something with it: it stays open when the call is done. */
  onUse: () => void;
  children: ReactNode;
}

function ToolBody({ tool, onUse, children }: ToolBodyProps) {
  const details = inputDetails(tool);
  return (
    <div className="divide-y divide-border border-border border-t">
      {details && (
        <pre
          tabIndex={0}
          className="max-h-60 overflow-auto whitespace-pre-wrap px-3 py-2 text-xs text-muted [overflow-wrap:anywhere]"
        >
          {details}
        </pre>
      )}
      {tool.diffs.map((diff) => (
        <div key={diff.path}>
          <p className="flex items-center justify-between gap-3 px-3 py-1 text-xs text-muted">
            <span className="truncate font-mono">{shortPath(diff.path)}</span>
            <DiffCounts additions={diff.additions ?? 0} deletions={diff.deletions ?? 0} />
          </p>
          <DiffView patch={diff.patch} path={diff.path} className="max-h-[60vh] overflow-y-auto" />
        </div>
      ))}
      {tool.output && <ToolOutput tool={tool} onUse={onUse} />}
      {tool.error && (
        <p className="whitespace-pre-wrap px-3 py-2 font-mono text-xs text-bad [overflow-wrap:anywhere]">
          {tool.error}
        </p>
      )}
      {children && <div className="flex flex-col gap-(--gap-item) py-2 pr-2 pl-4">{children}</div>}
    </div>
  );
}
