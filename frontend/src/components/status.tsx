// A session's status as a mark and a word: never by colour alone.
import { CircleDashed, CircleDot, CircleX, LoaderCircle, Moon, TriangleAlert } from "lucide-react";
import type { SessionStatus } from "@/lib/api/types";
import { cn } from "@/lib/cn";

export const STATUS_WORDS: Record<SessionStatus, string> = {
  idle: "New",
  queued: "Queued",
  starting: "Starting",
  running: "Running",
  needs_you: "Needs you",
  ready: "Ready",
  asleep: "Asleep",
  failed: "Failed",
};

const MARKS: Record<SessionStatus, { icon: typeof Moon; tone: string }> = {
  idle: { icon: CircleDashed, tone: "text-faint" },
  queued: { icon: CircleDashed, tone: "text-running" },
  starting: { icon: LoaderCircle, tone: "text-running motion-safe:animate-spin" },
  running: { icon: CircleDot, tone: "text-running pulse-dot" },
  needs_you: { icon: TriangleAlert, tone: "text-attention" },
  ready: { icon: CircleDot, tone: "text-ok" },
  asleep: { icon: Moon, tone: "text-faint" },
  failed: { icon: CircleX, tone: "text-bad" },
};

export function StatusMark({ status, className }: { status: SessionStatus; className?: string }) {
  const { icon: Icon, tone } = MARKS[status];
  return (
    <span className={cn("inline-flex shrink-0", className)}>
      <Icon aria-hidden className={cn("size-3.5", tone)} />
      <span className="sr-only">{STATUS_WORDS[status]}</span>
    </span>
  );
}
