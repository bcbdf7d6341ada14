// Times that stay right: relative with the whole date on hover, and clocks that count.
import { useState } from "react";
import { cn } from "@/lib/cn";
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

interface ElapsedProps {
  since: string | number;
  /** False while nobody here knows whether it still goes on: the clock stands where it was. */
  isCounting?: boolean;
  className?: string;
}

/** How long ago `since` was by the platform's clock, counting. */
export function Elapsed({ since, isCounting = true, className }: ElapsedProps) {
  useSeconds();
  const [stoodAt, setStoodAt] = useState<number | null>(null);
  if (isCounting === (stoodAt !== null)) setStoodAt(isCounting ? null : serverNow());
  const start = typeof since === "number" ? since : Date.parse(since);
  return (
    <span className={cn(className, !isCounting && "text-faint")}>
      {clock((stoodAt ?? serverNow()) - start)}
    </span>
  );
}
