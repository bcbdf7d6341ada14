// The keys of model providers: what there is, by hint only, and what can be done with each.
import { useQuery } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/button";
import { Empty, Problem, Skeleton } from "@/components/states";
import { keysQuery, providersQuery } from "@/lib/api/keys";
import { KeyDialog, type KeyTask } from "./key-dialog";
import { KeyRow } from "./key-row";

export function KeysPage() {
  const keys = useQuery(keysQuery);
  const providers = useQuery(providersQuery);
  const [task, setTask] = useState<KeyTask | null>(null);
  const withKeys = (providers.data ?? []).filter((provider) => provider.needs_key);
  const add = (
    <Button look="primary" onClick={() => setTask({ kind: "add" })} disabled={withKeys.length === 0}>
      <Plus className="size-3.5" />
      Add key
    </Button>
  );
  return (
    <section aria-labelledby="keys-title" data-testid="keys-page">
      <header className="flex items-center justify-between gap-3">
        <h1 id="keys-title" className="text-xl font-semibold">
          Provider keys
        </h1>
        {keys.data && keys.data.length > 0 && add}
      </header>
      <p className="mt-1 mb-4 text-sm text-muted">
        A key is stored encrypted and never shown again. It does not enter the box: the agent's requests get
        it on their way out. Where that cannot be, it says so before you add it.
      </p>
      {keys.isPending && <Skeleton lines={4} />}
      {keys.error && (
        <Problem what="The keys could not be loaded" error={keys.error} onRetry={() => keys.refetch()} />
      )}
      {providers.error && !providers.data && (
        <Problem
          what="The providers could not be loaded"
          error={providers.error}
          onRetry={() => providers.refetch()}
        />
      )}
      {keys.data?.length === 0 && (
        <div className="rounded-lg border border-border py-6">
          <Empty icon={<KeyRound aria-hidden />} action={add}>
            There is no key yet. Without one, sessions can use the scripted demo model.
          </Empty>
        </div>
      )}
      {keys.data && keys.data.length > 0 && (
        <ul className="divide-y divide-border rounded-lg border border-border bg-raised">
          {keys.data.map((key) => (
            <KeyRow key={key.id} row={key} providers={withKeys} onTask={setTask} />
          ))}
        </ul>
      )}
      <KeyDialog task={task} providers={withKeys} onClose={() => setTask(null)} />
    </section>
  );
}
