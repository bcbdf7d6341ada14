// The hosts that are allowed or refused by name, and who says so; those of the session can be taken off.
import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import { IconButton } from "@/components/button";
import type { SessionEgress } from "@/lib/api/types";

type Allowed = SessionEgress["allowed"][number];

const BY: Record<Allowed["by"], string> = {
  administrator: "by the administrator",
  git: "a git host",
  registry: "a package registry",
  session: "in this session",
  you: "in all your sessions",
};

interface AllowedHostsProps {
  egress: SessionEgress;
  disabled: boolean;
  onRemove: (host: string) => void;
}

export function AllowedHosts({ egress, disabled, onRemove }: AllowedHostsProps) {
  const own = egress.allowed.filter(({ by }) => by === "session" || by === "you");
  const given = egress.allowed.filter(({ by }) => by !== "session" && by !== "you");
  return (
    <div className="flex flex-col gap-2 text-sm">
      {own.length > 0 && (
        <ul className="divide-y divide-border rounded-lg border border-border bg-raised">
          {own.map(({ host, by }) => (
            <Host key={`${by} ${host}`} host={host} words={BY[by]}>
              {by === "session" ? (
                <IconButton small label={`Remove ${host}`} disabled={disabled} onClick={() => onRemove(host)}>
                  <X className="size-3.5" />
                </IconButton>
              ) : (
                <Link
                  to="/settings/$section"
                  params={{ section: "network" }}
                  className="text-xs text-accent underline max-md:py-3"
                >
                  Change
                </Link>
              )}
            </Host>
          ))}
        </ul>
      )}
      {given.length > 0 && (
        <Folded label={`Allowed here for everybody (${given.length})`}>
          {given.map(({ host, by }) => (
            <Host key={`${by} ${host}`} host={host} words={BY[by]} />
          ))}
        </Folded>
      )}
      {egress.refused.length > 0 && (
        <Folded label={`Never allowed (${egress.refused.length})`}>
          {egress.refused.map(({ host, by }) => (
            <Host key={`${by} ${host}`} host={host} words={BY[by]} />
          ))}
        </Folded>
      )}
    </div>
  );
}

function Folded({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <details>
      <summary className="cursor-pointer text-xs text-muted max-md:py-3">{label}</summary>
      <ul className="mt-1 divide-y divide-border rounded-lg border border-border bg-raised">{children}</ul>
    </details>
  );
}

function Host({ host, words, children }: { host: string; words: string; children?: React.ReactNode }) {
  return (
    <li className="flex items-center gap-3 px-3 py-1.5" data-testid="allowed-host">
      <span className="min-w-0 flex-1 font-mono text-xs [overflow-wrap:anywhere]">{host}</span>
      <span className="shrink-0 text-xs text-muted">{words}</span>
      {children}
    </li>
  );
}
