// A session's status as a mark and a word: never by colour alone.
import { CircleDashed, CircleDot, CircleX, LoaderCircle, Moon, TriangleAlert } from "lucide-react";
import type { SessionStatus } from "@/lib/api/types";
import { cn } from "@/lib/cn";

const STATUS_WORDS: Record<SessionStatus, string> = {
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

/** The status in words; of one that is only remembered, that it is. */
export function statusWords(status: SessionStatus, isOutdated = false): string {
  const words = STATUS_WORDS[status];
  return isOutdated ? `Last seen: ${words.toLowerCase()}` : words;
}

interface StatusMarkProps {
  status: SessionStatus;
  /** Nobody knows whether it is still so: nothing moves, nothing has a colour. */
  isOutdated?: boolean;
  className?: string;
}

export function StatusMark({ status, isOutdated = false, className }: StatusMarkProps) {
  const { icon: Icon, tone } = MARKS[status];
  return (
    <span className={cn("inline-flex shrink-0", className)}>
      <Icon aria-hidden className={cn("size-3.5", isOutdated ? "text-faint" : tone)} />
      <span className="sr-only">{statusWords(status, isOutdated)}</span>
    </span>
  );
}
