// What a place shows when it has nothing, not yet, or a problem.
import { CircleX, CloudOff } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import { ApiError, messageOf } from "@/lib/api/errors";
import { cn } from "@/lib/cn";
import { Button } from "./button";

/** One sentence and one thing to do. */
export function Empty({
  children,
  action,
  icon,
}: {
  children: ReactNode;
  action?: ReactNode;
  icon?: ReactNode;
}) {
  return (
    <div className="flex h-full flex-col items-center justify-center gap-3 p-6 text-center text-sm text-muted [&_svg]:size-5">
      {icon}
      <p className="max-w-72">{children}</p>
      {action}
    </div>
  );
}

/** Grey bars in the place of what comes, after a moment. */
export function Skeleton({ lines = 3, className }: { lines?: number; className?: string }) {
  return (
    <div aria-hidden className={cn("delayed flex flex-col gap-2 p-3", className)}>
      {Array.from({ length: lines }, (_, line) => (
        <div
          key={line}
          className="h-3.5 rounded-sm bg-hover"
          style={{ width: `${92 - ((line * 23) % 40)}%` }}
        />
      ))}
    </div>
  );
}

interface ProblemProps {
  error: unknown;
  /** What could not be done. */
  what: string;
  onRetry?: () => void;
  className?: string;
}

/** What failed, why, and a way on. */
export function Problem({ error, what, onRetry, className }: ProblemProps) {
  return (
    <div
      role="alert"
      className={cn("flex flex-col items-center justify-center gap-2 p-6 text-center text-sm", className)}
    >
      <CircleX aria-hidden className="size-5 text-bad" />
      <p className="font-medium">{what}</p>
      <p className="max-w-96 text-muted">{messageOf(error)}</p>
      {error instanceof ApiError && (
        <code className="text-2xs text-faint">
          {error.code} {error.requestId}
        </code>
      )}
      {onRetry && (
        <Button size="small" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** Beside a list that is shown as it was when the server could still be asked. */
export function AsLastSeen({ className, ...rest }: ComponentProps<"p">) {
  return (
    <p
      className={cn(
        "flex items-center gap-2 rounded-md border border-border px-2 py-1.5 text-xs text-muted",
        className,
      )}
      {...rest}
    >
      <CloudOff aria-hidden className="size-3.5 shrink-0" />
      As last seen: the server cannot be reached
    </p>
  );
}

interface ShowMoreProps {
  /** A list that comes page by page. */
  list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
  className?: string;
}

/** Under a list that goes on. */
export function ShowMore({ list, className }: ShowMoreProps) {
  if (!list.hasNextPage) return null;
  return (
    <Button
      look="quiet"
      size="small"
      className={cn("w-full", className)}
      disabled={list.isFetchingNextPage}
      onClick={() => list.fetchNextPage()}
    >
      Show more
    </Button>
  );
}
