// The network of one session: what its box may reach, and what it did.
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Globe } from "lucide-react";
import { toast } from "sonner";
import { Button } from "@/components/button";
import { NetworkChoice } from "@/components/network-choice";
import { AsLastSeen, Empty, Problem, ShowMore, Skeleton } from "@/components/states";
import { sessionEgressQuery } from "@/lib/api/egress";
import { messageOf } from "@/lib/api/errors";
import { changeSession } from "@/lib/api/sessions";
import type { EgressWish, ReachedHost, SessionChange, SessionEgress } from "@/lib/api/types";
import { AllowedHosts } from "./allowed-hosts";
import { HostForm } from "./host-form";
import { ReachedHosts } from "./reached-hosts";

interface NetworkPanelProps {
  session: string;
  /** What its owner wants; null until that is known. */
  wish: EgressWish | null;
}

export function NetworkPanel({ session, wish }: NetworkPanelProps) {
  const query = useInfiniteQuery(sessionEgressQuery(session));
  const [first] = query.data?.pages ?? [];
  return (
    <section
      aria-label="Network"
      data-testid="network-panel"
      className="flex h-full flex-col gap-4 overflow-y-auto p-3"
    >
      {query.isPending && <Skeleton lines={6} />}
      {query.error && !first && (
        <Problem
          what="The network could not be looked at"
          error={query.error}
          onRetry={() => query.refetch()}
        />
      )}
      {first && (query.isError || query.failureCount > 0) && <AsLastSeen />}
      {first && wish && <Wishes session={session} wish={wish} egress={first} />}
      {first && wish && (
        <Reached
          session={session}
          wish={wish}
          egress={first}
          hosts={query.data?.pages.flatMap((page) => page.results) ?? []}
        />
      )}
      <ShowMore list={query} />
    </section>
  );
}

interface PartProps {
  session: string;
  wish: EgressWish;
  egress: SessionEgress;
}

function Wishes({ session, wish, egress }: PartProps) {
  const { change, refresh } = useNetworkChange(session);
  const isList = egress.policy === "allow-list";
  const isBounded = egress.policy !== wish.policy;
  return (
    <>
      <NetworkChoice
        policy={egress.policy}
        ask={wish.ask}
        loosest={egress.loosest}
        canAsk={egress.users_add_hosts}
        disabled={change.isPending}
        onChange={(next) => change.mutate(next)}
      />
      {isBounded && (
        <p className="text-xs text-attention">This session was to reach more than is allowed here now.</p>
      )}
      {isList && egress.users_add_hosts && (
        <HostForm
          label="Allow a host in this session"
          onSubmit={async (host) => {
            await changeSession(session, { egress: { hosts: [...wish.hosts, host] } });
            await refresh();
          }}
        >
          {(isBusy) => (
            <Button type="submit" disabled={isBusy}>
              Allow
            </Button>
          )}
        </HostForm>
      )}
      <AllowedHosts
        egress={egress}
        disabled={change.isPending}
        onRemove={(host) => change.mutate({ hosts: wish.hosts.filter((each) => each !== host) })}
      />
    </>
  );
}

function Reached({ session, wish, egress, hosts }: PartProps & { hosts: ReachedHost[] }) {
  const { change } = useNetworkChange(session);
  const canAllow = egress.policy === "allow-list" && egress.users_add_hosts;
  const allowed = new Set(egress.allowed.map(({ host }) => host));
  return (
    <div>
      <h2 className="mb-1 text-sm font-medium">What it reached</h2>
      {hosts.length === 0 ? (
        <div className="rounded-lg border border-border py-4">
          <Empty icon={<Globe aria-hidden />}>The box has not reached for the network yet.</Empty>
        </div>
      ) : (
        <ReachedHosts
          hosts={hosts}
          allowed={allowed}
          onAllow={canAllow ? (host) => change.mutate({ hosts: [...wish.hosts, host] }) : undefined}
        />
      )}
    </div>
  );
}

function useNetworkChange(session: string) {
  const queries = useQueryClient();
  const refresh = () => queries.invalidateQueries({ queryKey: ["egress", "session", session] });
  const change = useMutation({
    mutationFn: (egress: NonNullable<SessionChange["egress"]>) => changeSession(session, { egress }),
    onError: (error) => toast.error(messageOf(error)),
    onSettled: refresh,
  });
  return { change, refresh };
}
