// What the box reached and what it was refused, host by host, the latest first.
import { ArrowDown, ArrowUp, Ban, Check } from "lucide-react";
import { Button } from "@/components/button";
import { RelativeTime } from "@/components/time";
import type { ReachedHost } from "@/lib/api/types";
import { canBeAllowed, hostWithPort, reasonOf, sizeOf } from "@/lib/network";
import { visible } from "@/lib/visible";

interface ReachedHostsProps {
  hosts: ReachedHost[];
  /** Hosts that are allowed by name, so that no button offers that again. */
  allowed: ReadonlySet<string>;
  /** Absent where allowing a host would change nothing. */
  onAllow?: ((host: string) => void) | undefined;
}

export function ReachedHosts({ hosts, allowed, onAllow }: ReachedHostsProps) {
  return (
    <ul className="divide-y divide-border rounded-lg border border-border bg-raised">
      {hosts.map((host) => {
        const pattern = hostWithPort(host.host, host.port);
        const canAllow = onAllow && host.blocked > 0 && canBeAllowed(host.reason) && !allowed.has(pattern);
        return (
          <li
            key={`${host.host} ${host.port}`}
            className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2"
            data-testid="reached-host"
            data-host={host.host}
          >
            <div className="min-w-40 flex-1">
              <p className="font-mono text-xs [overflow-wrap:anywhere]">
                {visible(`${host.host}:${host.port}`)}
              </p>
              <p className="flex flex-wrap gap-x-3 text-xs text-muted tabular-nums">
                {host.used > 0 && <Used host={host} />}
                {host.blocked > 0 && <Blocked host={host} />}
                <RelativeTime at={host.last_at} />
              </p>
            </div>
            {canAllow && (
              <Button size="small" onClick={() => onAllow(pattern)} aria-label={`Allow ${pattern}`}>
                Allow
              </Button>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function Used({ host }: { host: ReachedHost }) {
  return (
    <>
      <span className="inline-flex items-center gap-1">
        <Check aria-hidden className="size-3 text-ok" />
        {times(host.used, "reached")}
      </span>
      <span className="inline-flex items-center gap-1">
        <ArrowUp aria-label="sent" className="size-3" />
        {sizeOf(host.bytes_up)}
        <ArrowDown aria-label="received" className="ml-1 size-3" />
        {sizeOf(host.bytes_down)}
      </span>
    </>
  );
}

function Blocked({ host }: { host: ReachedHost }) {
  return (
    <span className="inline-flex items-center gap-1">
      <Ban aria-hidden className="size-3 text-bad" />
      {times(host.blocked, "refused")}
      {host.reason && <>: {reasonOf(host.reason)}</>}
    </span>
  );
}

function times(count: number, verb: string): string {
  return count === 1 ? `${verb} once` : `${verb} ${count.toLocaleString()} times`;
}
