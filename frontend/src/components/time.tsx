// Times that stay right: relative with the whole date on hover, and clocks that count.
import { serverNow } from "@/lib/server-clock";
import { absoluteTime, clock, relativeTime, useHalfMinutes, useSeconds } from "@/lib/time";

export function RelativeTime({ at, className }: { at: string; className?: string }) {
  useHalfMinutes();
  return (
    <time dateTime={at} title={absoluteTime(at)} className={className}>
      {relativeTime(at, serverNow())}
    </time>
  );
}

/** How long ago `since` was by the platform's clock, counting. */
export function Elapsed({ since, className }: { since: string | number; className?: string }) {
  useSeconds();
  const start = typeof since === "number" ? since : Date.parse(since);
  return <span className={className}>{clock(serverNow() - start)}</span>;
}
