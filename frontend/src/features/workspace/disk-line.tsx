// What the session's disk takes, below its files: also while it sleeps, and on a phone.
import { HardDrive } from "lucide-react";
import { RelativeTime } from "@/components/time";
import type { Session } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { diskWords } from "@/lib/sizes";

const NEARLY_FULL = 0.9;

export function DiskLine({ disk }: { disk: NonNullable<Session["disk"]> }) {
  const isNearlyFull = disk.limit !== null && disk.bytes >= NEARLY_FULL * disk.limit;
  return (
    <p
      data-testid="disk-line"
      className="flex h-8 shrink-0 items-center gap-2 border-border border-t px-3 text-xs text-muted"
    >
      <HardDrive aria-hidden className="size-3.5 shrink-0" />
      <span className={cn("min-w-0 truncate", isNearlyFull && "text-attention")}>
        Disk: {diskWords(disk)}
        {isNearlyFull && ", nearly full"}
      </span>
      <span className="ml-auto shrink-0 text-faint">
        measured <RelativeTime at={disk.measured_at} />
      </span>
    </p>
  );
}
