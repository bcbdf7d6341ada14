// Below a terminal that is over: how it ended and what can be done now. Nothing of what it showed is covered.
import { Unplug } from "lucide-react";
import type { ReactNode } from "react";
import { useStore } from "zustand";
import { Button } from "@/components/button";
import type { EndReason } from "@/protocol/reconnecting-socket";
import type { LiveTerminal } from "./live-terminal";
import { exitWords } from "./words";

interface EndBarProps {
  live: LiveTerminal;
  onRemove: () => void;
  onNew: () => void;
}

export function EndBar({ live, onRemove, onNew }: EndBarProps) {
  const connection = useStore(live.store, (state) => state.connection);
  if (connection.state === "exited") {
    return (
      <Bar>
        <span className="min-w-0 flex-1 basis-48 max-md:basis-full">
          {exitWords(connection.exit)}
          {connection.isCut && " The end of what it printed is not here."}
        </span>
        <Button size="small" onClick={onNew}>
          New terminal
        </Button>
        <Button size="small" look="quiet" onClick={onRemove}>
          Remove
        </Button>
      </Bar>
    );
  }
  if (connection.state !== "ended") return null;
  return (
    <Bar>
      <Unplug aria-hidden className="size-3.5" />
      <span className="min-w-0 flex-1">{ENDED[connection.reason]}</span>
      {connection.reason !== "gone" && (
        <Button size="small" onClick={() => live.reconnect()}>
          Connect again
        </Button>
      )}
    </Bar>
  );
}

const ENDED: Record<EndReason, string> = {
  signed_out: "You are signed out.",
  forbidden: "You may not use this terminal.",
  gone: "This terminal is gone.",
  superseded: "This terminal was taken over by another page.",
};

function Bar({ children }: { children: ReactNode }) {
  return (
    <div
      role="status"
      data-testid="terminal-state"
      className="flex shrink-0 flex-wrap items-center gap-2 border-border border-t bg-side px-2 py-1 text-xs text-muted"
    >
      {children}
    </div>
  );
}

/** In place of a screen of which nothing is left: why, in words. */
export function NothingKept({ live }: { live: LiveTerminal }) {
  const isLost = useStore(
    live.store,
    ({ connection }) =>
      connection.state === "exited" && connection.exit.reason === "lost" && connection.exit.offset === 0,
  );
  if (!isLost) return null;
  return (
    <div
      data-testid="terminal-nothing-kept"
      className="absolute inset-0 grid place-items-center bg-bg p-4 text-center text-sm text-muted"
    >
      <p className="max-w-80">
        What this terminal showed is not here: the box was lost before it was handed over. If some of it is on
        the box's disk, it appears here once the session is awake again.
      </p>
    </div>
  );
}
