// How a terminal stands while it is not simply there: no connection, or no box yet. And who else is there.
import { CircleDot, LoaderCircle, Unplug, Users } from "lucide-react";
import type { ReactNode } from "react";
import { useStore } from "zustand";
import { Button } from "@/components/button";
import { cn } from "@/lib/cn";
import { useSeconds } from "@/lib/time";
import type { TerminalConnection } from "@/protocol/terminal-feed";
import type { Viewers } from "@/protocol/terminal-frames";
import type { LiveTerminal } from "./live-terminal";

/** Lies over the screen: it passes, and the screen keeps its size meanwhile. */
export function StateBar({ live }: { live: LiveTerminal }) {
  const connection = useStore(live.store, (state) => state.connection);
  const isReplaying = useStore(live.store, (state) => state.isReplaying);
  switch (connection.state) {
    case "live":
      return isReplaying ? (
        <Bar className="delayed self-end" icon={<Spinner />}>
          More of the earlier output is coming…
        </Bar>
      ) : null;
    case "connecting":
      return (
        <Bar className="delayed" icon={<Spinner />}>
          Connecting…
        </Bar>
      );
    case "waiting":
      return (
        <Bar icon={<Spinner />}>
          {connection.reason === "starting"
            ? "The box is starting. What you type waits for it."
            : "The box is out of reach for a moment. What you type waits for it."}
        </Bar>
      );
    case "silent":
      return <Bar icon={<Unplug aria-hidden />}>The server is silent.</Bar>;
    case "disconnected":
      return <Disconnected live={live} connection={connection} />;
    case "exited":
    case "ended":
      return null;
  }
}

interface DisconnectedProps {
  live: LiveTerminal;
  connection: TerminalConnection & { state: "disconnected" };
}

function Disconnected({ live, connection }: DisconnectedProps) {
  useSeconds();
  const seconds = Math.max(0, Math.ceil((connection.retryAt - performance.now()) / 1000));
  return (
    <Bar icon={<Unplug aria-hidden />}>
      <span className="min-w-0 flex-1">
        Not connected{connection.slowDown && ": too many at once"}. The next try is in {seconds} s. What you
        type waits.
      </span>
      <Button size="small" onClick={() => live.reconnect()}>
        Try now
      </Button>
    </Bar>
  );
}

function Spinner() {
  return <LoaderCircle aria-hidden className="motion-safe:animate-spin" />;
}

function Bar({ icon, className, children }: { icon?: ReactNode; className?: string; children: ReactNode }) {
  return (
    <div
      role="status"
      data-testid="terminal-state"
      className={cn(
        "flex flex-wrap items-center gap-2 rounded-md border border-border bg-raised px-2 py-1 text-xs text-muted [&_svg]:size-3.5",
        className,
      )}
    >
      {icon}
      {children}
    </div>
  );
}

/** Who else looks, who typed last, and whether it is recorded: above the screen, of which nothing may be covered. */
export function Company({ live }: { live: LiveTerminal }) {
  const viewers = useStore(live.store, (state) => state.viewers);
  const isRecording = useStore(live.store, (state) => state.isRecording);
  const size = useStore(live.store, (state) => state.size);
  const words = viewers && companyWords(viewers);
  if (!words && !isRecording) return null;
  return (
    <div className="flex shrink-0 justify-end gap-1 px-2 py-0.5 text-2xs text-muted">
      {isRecording && (
        <span className="flex items-center gap-1 rounded-sm bg-raised px-1.5 py-0.5 text-bad">
          <CircleDot aria-hidden className="size-3" />
          Recorded
        </span>
      )}
      {words && (
        <span
          data-testid="terminal-company"
          title={
            size ? `${size.cols} columns, ${size.rows} rows: as many as all of them have room for` : undefined
          }
          className="flex items-center gap-1 rounded-sm bg-raised px-1.5 py-0.5"
        >
          <Users aria-hidden className="size-3" />
          {words}
        </span>
      )}
    </div>
  );
}

/** Null when nobody else looks. */
export function companyWords({ you, typist, viewers }: Viewers): string | null {
  if (viewers.length < 2) return null;
  const watching = `${viewers.length} watching`;
  if (typist === null) return watching;
  const name = typist === you ? "you" : viewers.find(({ id }) => id === typist)?.name;
  return name ? `${watching}, ${name} typed last` : watching;
}
