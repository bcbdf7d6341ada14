// The terminals of a session: tabs, the panes of the tab that is shown, and opening more of them.
import { Plus, SquareTerminal } from "lucide-react";
import { useCallback, useState } from "react";
import { toast } from "sonner";
import { Button, IconButton } from "@/components/button";
import { Confirm } from "@/components/dialog";
import { ErrorBoundary } from "@/components/error-boundary";
import { Empty } from "@/components/states";
import { messageOf } from "@/lib/api/errors";
import type { Terminal } from "@/lib/api/types";
import { neighbourOf, tabOf } from "./layout";
import { useLiveTerminal } from "./registry";
import { TabStrip } from "./tab-strip";
import { TerminalMenu } from "./terminal-menu";
import { TerminalView } from "./terminal-view";
import { useProgramTitles } from "./titles";
import { useCarriedOut } from "./use-carried-out";
import { useLayout } from "./use-layout";
import { useTerminalActions } from "./use-terminal-actions";
import { nameOf } from "./words";

export interface TerminalPanelProps {
  session: string;
  terminals: Terminal[];
  /** The one that the address names. */
  chosen: string | undefined;
  onChoose: (id: string | undefined) => void;
  isAsleep: boolean;
  /** The name of the session's agent, if it has an interface of its own. */
  agent: string | undefined;
  onSendToAgent: (text: string) => void;
}

export function TerminalPanel(props: TerminalPanelProps) {
  const { session, terminals, chosen, onChoose } = props;
  const { layout, setLayout } = useLayout(
    session,
    terminals.map(({ id }) => id),
  );
  const [renaming, setRenaming] = useState<string | null>(null);
  const [finding, setFinding] = useState<string | null>(null);
  const [closing, setClosing] = useState<string | null>(null);
  const titles = useProgramTitles();
  const current = tabOf(layout, chosen) >= 0 ? chosen : layout[0]?.[0];
  const actions = useTerminalActions({ session, current, setLayout, onChoose });
  const live = useLiveTerminal(session, current);
  useCarriedOut({ session, terminals, live, open: actions.open });
  const tab = tabOf(layout, current);
  const panes = layout[tab] ?? [];
  const rows = new Map(terminals.map((terminal, index) => [terminal.id, { terminal, number: index + 1 }]));
  const name = (id: string) => {
    const row = rows.get(id);
    return row ? nameOf(row.terminal, row.number, titles[id]) : "";
  };
  const remove = async (id: string) => {
    const next = neighbourOf(layout, id);
    await actions.remove(id);
    if (id === current) onChoose(next);
  };
  const removeEnded = (id: string) => {
    remove(id).catch((error: unknown) => toast.error(messageOf(error)));
  };
  const askToRemove = (id: string) => {
    if (rows.get(id)?.terminal.state === "closed") removeEnded(id);
    else setClosing(id);
  };
  const leave = useCallback(() => {
    document.querySelector<HTMLElement>("[data-testid=terminal-tab][aria-current=page]")?.focus();
  }, []);
  if (!current)
    return (
      <NoTerminal
        isAsleep={props.isAsleep}
        isOpening={actions.isOpening}
        agent={props.agent}
        onOpen={actions.open}
        onOpenAgent={actions.openAgent}
      />
    );
  return (
    <div className="flex h-full min-h-0 flex-col" data-testid="terminal-panel">
      <div className="flex h-9 shrink-0 items-center gap-1 border-border border-b px-1 max-md:h-12">
        <TabStrip
          session={session}
          tabs={layout.map((ids, index) => {
            const id = index === tab ? current : (ids[0] ?? "");
            const isClosed = rows.get(id)?.terminal.state === "closed";
            return { id, name: name(id), isCurrent: index === tab, isClosed, panes: ids.length };
          })}
          renaming={renaming}
          onRenaming={setRenaming}
          onRename={actions.rename}
          onMove={actions.move}
          onRemove={askToRemove}
        />
        <IconButton
          label="New terminal"
          small
          disabled={actions.isOpening}
          onClick={actions.open}
          data-testid="new-terminal"
        >
          <Plus className="size-4" />
        </IconButton>
        {/* Its place is kept, so that the tabs do not move when it comes. */}
        <span className="flex size-6 shrink-0 max-md:size-11">
          {live && (
            <TerminalMenu
              session={session}
              live={live}
              name={name(current)}
              hasNeighbours={panes.length > 1}
              agent={props.agent}
              onOpenAgent={() => void actions.openAgent()}
              onFind={() => setFinding(current)}
              onRename={() => setRenaming(current)}
              onMove={(by) => actions.move(tab, tab + by)}
              onSplit={actions.split}
              onSeparate={actions.separate}
              onRemove={() => askToRemove(current)}
              onSendToAgent={props.onSendToAgent}
            />
          )}
        </span>
      </div>
      <div className="@container min-h-0 flex-1">
        <div className="flex size-full flex-col divide-border @3xl:flex-row @3xl:divide-x max-@3xl:divide-y">
          {panes.map((id) => (
            <ErrorBoundary key={id} name={name(id)}>
              <TerminalView
                session={session}
                id={id}
                name={name(id)}
                isCurrent={id === current}
                isShared={panes.length > 1}
                isKept={rows.get(id)?.terminal.has_transcript ?? false}
                isFinding={finding === id}
                onFind={(isFinding) => setFinding(isFinding ? id : null)}
                onEnter={() => onChoose(id)}
                onLeave={leave}
                onRemove={() => removeEnded(id)}
                onNew={actions.open}
                onSendToAgent={props.onSendToAgent}
              />
            </ErrorBoundary>
          ))}
        </div>
      </div>
      <Confirm
        open={closing !== null}
        onClose={() => setClosing(null)}
        title="Close this terminal?"
        action="Close it"
        onConfirm={() => remove(closing ?? "")}
      >
        The program in it is ended, and what it showed is forgotten.
      </Confirm>
    </div>
  );
}

interface NoTerminalProps {
  isAsleep: boolean;
  isOpening: boolean;
  agent: string | undefined;
  onOpen: () => void;
  onOpenAgent: () => void;
}

function NoTerminal({ isAsleep, isOpening, agent, onOpen, onOpenAgent }: NoTerminalProps) {
  return (
    <Empty
      icon={<SquareTerminal aria-hidden />}
      action={
        <span className="flex flex-wrap justify-center gap-2">
          <Button size="small" disabled={isOpening} onClick={onOpen} data-testid="new-terminal">
            {isOpening ? "Opening…" : "Open a terminal"}
          </Button>
          {agent && (
            <Button size="small" look="quiet" disabled={isOpening} onClick={onOpenAgent}>
              {agent}'s own interface
            </Button>
          )}
        </span>
      }
    >
      A shell in the session's box, beside the agent.
      {isAsleep && " The session is asleep: opening one wakes it."}
    </Empty>
  );
}
