// What somebody has decided about hosts for all of their sessions; each can be taken back.
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Globe } from "lucide-react";
import { toast } from "sonner";
import { Button } from "@/components/button";
import { Empty, Problem, ShowMore, Skeleton } from "@/components/states";
import { RelativeTime } from "@/components/time";
import { decideOnHost, revokeRule, rulesQuery } from "@/lib/api/egress";
import { messageOf } from "@/lib/api/errors";
import type { EgressRule } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { HostForm } from "./host-form";

export function RulesPage() {
  const query = useInfiniteQuery(rulesQuery);
  const queries = useQueryClient();
  const refresh = () => queries.invalidateQueries({ queryKey: ["egress"] });
  const rules = query.data?.pages.flatMap((page) => page.results);
  return (
    <section aria-labelledby="network-title" data-testid="rules-page">
      <h1 id="network-title" className="text-xl font-semibold">
        Network
      </h1>
      <p className="mt-1 mb-4 text-sm text-muted">
        Hosts that the boxes of all your sessions may always reach, or never. “Always” counts where a session
        reaches allowed hosts only; “Never” counts everywhere. Changes hold at once, in running sessions too.
      </p>
      <HostForm
        label="Decide about a host"
        onSubmit={async (host, verdict) => {
          await decideOnHost(host, verdict === "never" ? "never" : "always");
          await refresh();
        }}
      >
        {(isBusy) => (
          <>
            <Button type="submit" value="always" disabled={isBusy} data-testid="rule-always">
              Always allow
            </Button>
            <Button type="submit" value="never" look="danger" disabled={isBusy} data-testid="rule-never">
              Never allow
            </Button>
          </>
        )}
      </HostForm>
      <div className="mt-4">
        {query.isPending && <Skeleton lines={4} />}
        {query.error && !rules && (
          <Problem what="The hosts could not be loaded" error={query.error} onRetry={() => query.refetch()} />
        )}
        {rules?.length === 0 && (
          <div className="rounded-lg border border-border py-6">
            <Empty icon={<Globe aria-hidden />}>
              You have decided about no host yet. When a box asks for one you can say “Always” or “Never”.
            </Empty>
          </div>
        )}
        {rules && rules.length > 0 && (
          <ul className="divide-y divide-border rounded-lg border border-border bg-raised">
            {rules.map((rule) => (
              <RuleRow key={rule.id} rule={rule} onRevoked={refresh} />
            ))}
          </ul>
        )}
        <ShowMore list={query} className="mt-3" />
      </div>
    </section>
  );
}

function RuleRow({ rule, onRevoked }: { rule: EgressRule; onRevoked: () => Promise<unknown> }) {
  const revoke = useMutation({
    mutationFn: () => revokeRule(rule.id),
    onError: (error) => toast.error(messageOf(error)),
    onSettled: onRevoked,
  });
  const isAlways = rule.verdict === "always";
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-3 py-2" data-testid="rule-row">
      <div className="min-w-40 flex-1">
        <p className="font-mono text-xs [overflow-wrap:anywhere]">{rule.host}</p>
        <p className="flex flex-wrap gap-x-3 text-xs text-muted">
          <span className={cn(isAlways ? "text-ok" : "text-bad")}>
            {isAlways ? "Always allowed" : "Never allowed"}
          </span>
          <RelativeTime at={rule.created_at} />
          {rule.session_title && <span className="truncate">asked in {rule.session_title}</span>}
        </p>
      </div>
      <Button
        size="small"
        disabled={revoke.isPending}
        onClick={() => revoke.mutate()}
        aria-label={`Forget ${rule.host}`}
      >
        Forget
      </Button>
    </li>
  );
}
