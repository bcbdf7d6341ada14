// The title bar of a session: its title, who works with what, what it cost so far, how it stands, and Stop.
import { useQuery } from "@tanstack/react-query";
import { PanelRight, Pencil, Square } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { Button, IconButton } from "@/components/button";
import { StatusMark, statusWords } from "@/components/status";
import { Elapsed } from "@/components/time";
import { Tooltip } from "@/components/tooltip";
import { SessionMenu, useSessionChange } from "@/features/sessions/session-actions";
import { titleOf } from "@/features/sessions/titles";
import { agentsQuery } from "@/lib/api/keys";
import { changeSession } from "@/lib/api/sessions";
import type { Session } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { useIsOutdated, useLiveSession } from "@/lib/live/session-store";
import { useIsPhone } from "@/lib/media";
import { cost } from "@/lib/money";
import { isComposing, keysOf } from "@/lib/shortcuts";
import { diskWords } from "@/lib/sizes";
import { absoluteTime } from "@/lib/time";
import { SidebarButton } from "./page-frame";
import { usePanelToggle } from "./use-panel-toggle";
import { useStop } from "./use-stop";

export function SessionBar({ id }: { id: string }) {
  const session = useLiveSession(id, (live) => live.state?.session);
  const isPhone = useIsPhone();
  const panel = usePanelToggle(id);
  return (
    <header
      className="flex h-(--bar) shrink-0 items-center gap-2 border-border border-b px-2"
      data-testid="session-bar"
    >
      <SidebarButton />
      <div className="flex min-w-0 flex-1 items-center gap-2 max-lg:flex-col max-lg:items-stretch max-lg:gap-0">
        {session && (
          <>
            <Title session={session} />
            <Facts session={session} />
          </>
        )}
      </div>
      {session && (
        <>
          <Status id={id} session={session} />
          <SessionMenu session={session} isCurrent />
        </>
      )}
      {!isPhone && (
        <IconButton
          label={panel.isShown ? "Hide the panel" : "Show the panel"}
          keys={keysOf("panel")}
          aria-pressed={panel.isShown}
          onClick={panel.toggle}
          data-testid="toggle-panel"
        >
          <PanelRight className="size-4" />
        </IconButton>
      )}
    </header>
  );
}

function Title({ session }: { session: Session }) {
  const [draft, setDraft] = useState<string | null>(null);
  const change = useSessionChange();
  const save = async () => {
    const title = draft?.trim();
    setDraft(null);
    if (title && title !== session.title) await change(() => changeSession(session.id, { title }));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key === "Enter") void save();
    if (event.key === "Escape") {
      event.stopPropagation();
      setDraft(null);
    }
  };
  if (draft !== null) {
    return (
      <input
        aria-label="Title"
        // biome-ignore lint/a11y/noAutofocus: the person has just asked to edit it
        autoFocus
        value={draft}
        maxLength={200}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={save}
        onKeyDown={onKeyDown}
        data-testid="title-input"
        className="h-7 min-w-0 flex-1 rounded-md border border-border-strong bg-raised px-2 text-sm font-semibold"
      />
    );
  }
  return (
    <div className="group/title flex min-w-0 flex-1 items-center">
      <h1 className="min-w-0">
        <button
          type="button"
          onClick={() => setDraft(session.title)}
          title={session.title}
          data-testid="session-title"
          className="flex max-w-full items-center gap-1.5 rounded-md px-2 py-1 text-sm font-semibold hover:bg-hover max-lg:pb-4 max-md:min-h-11"
        >
          <span className="truncate">{titleOf(session)}</span>
          <Pencil
            aria-label="Edit the title"
            className="size-3 shrink-0 text-faint opacity-0 group-hover/title:opacity-100"
          />
        </button>
      </h1>
    </div>
  );
}

/** Without the host, which the tooltip has. */
function repositoryName({ url, branch }: NonNullable<Session["repository"]>): string {
  return `${new URL(url).pathname.slice(1)}${branch && ` (${branch})`}`;
}

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/**
 * Repository, agent, model, disk, tokens and what they cost; those numbers are the provider's own. Where there is
 * little room, the agent and what fits of the model, in a line of their own at the foot of the title's button.
 */
function Facts({ session }: { session: Session }) {
  const agent = useLiveSession(session.id, (live) => live.conversation.agent);
  // Until the agent says it itself, it is called what the form for a session called it.
  const { data: offers } = useQuery({ ...agentsQuery, enabled: false });
  const offered = offers?.find(({ id }) => id === session.agent);
  const { input, output, cached, reasoning, calls } = session.usage;
  const details = `${cost(session.usage)}: ${input.toLocaleString()} tokens in (${cached.toLocaleString()} cached), ${output.toLocaleString()} out (${reasoning.toLocaleString()} reasoning), ${calls} model calls`;
  return (
    <div className="flex min-w-0 shrink items-center gap-1.5 text-xs text-muted max-lg:pointer-events-none max-lg:-mt-4.5 max-lg:px-2">
      {session.repository && (
        <>
          <span
            className="truncate max-lg:hidden"
            title={session.repository.url}
            data-testid="session-repository"
          >
            {repositoryName(session.repository)}
          </span>
          <span aria-hidden className="max-lg:hidden">
            ·
          </span>
        </>
      )}
      <span className="max-w-full truncate max-lg:shrink-0" data-testid="session-agent">
        {agent ? `${agent.name} ${agent.version}` : (offered?.name ?? session.agent)}
      </span>
      <span aria-hidden>·</span>
      <span className="truncate" data-testid="session-model">
        {session.model}
        {session.provider === "demo" && " (scripted)"}
      </span>
      {session.disk && (
        <>
          <span aria-hidden className="max-lg:hidden">
            ·
          </span>
          <span
            className="whitespace-nowrap max-lg:hidden"
            title={`Its disk, measured ${absoluteTime(session.disk.measured_at)}`}
            data-testid="session-disk"
          >
            disk {diskWords(session.disk)}
          </span>
        </>
      )}
      <span aria-hidden className="max-lg:hidden">
        ·
      </span>
      <Tooltip label={details}>
        <button
          type="button"
          className="whitespace-nowrap rounded-sm max-lg:hidden"
          data-testid="session-usage"
        >
          {compact.format(input + output)} tokens
          {session.provider !== "demo" && calls > 0 && ` · ${cost(session.usage)}`}
        </button>
      </Tooltip>
    </div>
  );
}

function Status({ id, session }: { id: string; session: Session }) {
  const turn = useLiveSession(id, (live) => live.conversation.turns.at(-1));
  const { stop, isStopping } = useStop(id);
  const isOutdated = useIsOutdated(id);
  const isRunning = session.turn !== null;
  return (
    <>
      <span
        data-testid="session-status"
        data-status={session.status}
        data-outdated={isOutdated || undefined}
        title={session.status_detail || undefined}
        className="flex shrink-0 items-center gap-1.5 whitespace-nowrap text-xs"
      >
        <StatusMark status={session.status} isOutdated={isOutdated} className="[&_.sr-only]:hidden" />
        <span className={cn("max-sm:sr-only", isOutdated && "text-faint")}>
          {statusWords(session.status, isOutdated)}
        </span>
        {isRunning && turn?.status === "running" && (
          <Elapsed since={turn.started_at} isCounting={!isOutdated} className="text-muted max-sm:hidden" />
        )}
      </span>
      {isRunning && (
        <Button
          size="small"
          disabled={isStopping}
          onClick={stop}
          aria-label="Stop the run"
          data-testid="stop-bar"
          className="max-sm:hidden"
        >
          <Square className="size-3 fill-current" />
          {isStopping ? "Stopping…" : "Stop"}
        </Button>
      )}
    </>
  );
}
