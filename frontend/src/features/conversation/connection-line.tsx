// One honest line on how the page stands with the platform, always in the same place above the composer.
import { CloudOff, LoaderCircle, Moon, Radio, Unplug } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "@/components/button";
import type { Session } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { reconnect, useLiveSession } from "@/lib/live/session-store";
import { useSeconds } from "@/lib/time";
import type { Connection } from "@/protocol/session-feed";

interface Words {
  icon: ReactNode;
  text: ReactNode;
  tone: string;
  isRetryable?: boolean;
}

const ENDED: Record<string, string> = {
  signed_out: "You are signed out. Sign in to go on",
  forbidden: "You may not see this session any more",
  gone: "This session was deleted",
  superseded: "This page was replaced by a newer connection",
};

function wordsOf(connection: Connection, session: Session | null): Words {
  switch (connection.state) {
    case "loading":
      return {
        icon: <LoaderCircle className="motion-safe:animate-spin" />,
        text: "Loading",
        tone: "text-muted",
      };
    case "catching_up":
      return {
        icon: <LoaderCircle className="motion-safe:animate-spin" />,
        text: "Catching up",
        tone: "text-running",
      };
    case "silent":
      return {
        icon: <Unplug />,
        text: "The server is silent; this may be out of date",
        tone: "text-attention",
      };
    case "disconnected":
      return {
        icon: <CloudOff />,
        text: <Countdown until={connection.retryAt} slowDown={connection.slowDown} />,
        tone: "text-attention",
        isRetryable: !connection.slowDown,
      };
    case "ended":
      return {
        icon: <CloudOff />,
        text: ENDED[connection.reason],
        tone: "text-attention",
        isRetryable: connection.reason === "superseded",
      };
    case "live":
      return session?.status === "asleep"
        ? {
            icon: <Moon />,
            text: `Asleep. ${session.status_detail || "Send a prompt to wake it."}`,
            tone: "text-muted",
          }
        : { icon: <Radio />, text: liveWords(session), tone: "text-ok" };
  }
}

/** Its agent may rest, which nobody sees otherwise. */
function liveWords(session: Session | null): string {
  return session?.status === "ready" && session.status_detail ? `Live. ${session.status_detail}` : "Live";
}

export function ConnectionLine({ session, children }: { session: string; children?: ReactNode }) {
  const connection = useLiveSession(session, (live) => live.connection);
  const row = useLiveSession(session, (live) => live.state?.session ?? null);
  const { icon, text, tone, isRetryable } = wordsOf(connection, row);
  return (
    <div className="flex h-7 items-center gap-2 text-xs max-md:h-8">
      <div
        role="status"
        data-testid="connection"
        data-state={connection.state === "live" && row?.status === "asleep" ? "asleep" : connection.state}
        className={cn("flex min-w-0 items-center gap-1.5 [&_svg]:size-3.5 [&_svg]:shrink-0", tone)}
      >
        <span aria-hidden className="flex">
          {icon}
        </span>
        <span className="truncate" title={typeof text === "string" ? text : undefined}>
          {text}
        </span>
      </div>
      {isRetryable && (
        <Button look="quiet" size="small" onClick={() => reconnect(session)}>
          {connection.state === "ended" ? "Connect again" : "Retry now"}
        </Button>
      )}
      <span className="ml-auto flex items-center gap-1">{children}</span>
    </div>
  );
}

function Countdown({ until, slowDown }: { until: number; slowDown: boolean }) {
  useSeconds();
  const seconds = Math.max(0, Math.ceil((until - performance.now()) / 1000));
  const reason = slowDown ? "The server asks to slow down" : "Disconnected";
  return (
    <>
      {reason}
      {/* Counting is for the eye; it is not read out every second. */}
      <span aria-hidden>, next try in {seconds} s</span>
    </>
  );
}
