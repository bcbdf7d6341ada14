// The keys of model providers: what there is, by hint only, and what can be done with each.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/components/button";
import { Confirm } from "@/components/dialog";
import { Empty, Problem, Skeleton } from "@/components/states";
import { RelativeTime } from "@/components/time";
import { messageOf } from "@/lib/api/errors";
import { deleteKey, keysQuery, providersQuery, testKey } from "@/lib/api/keys";
import type { Provider, ProviderKey } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { KeyDialog, type KeyTask } from "./key-dialog";

const STATUS: Record<ProviderKey["status"], { words: string; tone: string }> = {
  untested: { words: "Not tested", tone: "text-faint" },
  ok: { words: "Accepted", tone: "text-ok" },
  refused: { words: "Refused by the provider", tone: "text-bad" },
};

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
        it on their way out.
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

interface KeyRowProps {
  row: ProviderKey;
  providers: Provider[];
  onTask: (task: KeyTask) => void;
}

function KeyRow({ row, providers, onTask }: KeyRowProps) {
  const queries = useQueryClient();
  const [isDeleting, setIsDeleting] = useState(false);
  const provider = providers.find((candidate) => candidate.id === row.provider)?.name ?? row.provider;
  const refresh = () => queries.invalidateQueries({ queryKey: ["keys"] });
  const test = useMutation({
    mutationFn: () => testKey(row.id),
    onSuccess: ({ code, message }) => (code === "ok" ? toast.success(message) : toast.warning(message)),
    onError: (error) => toast.error(messageOf(error)),
    onSettled: refresh,
  });
  const remove = async () => {
    await deleteKey(row.id);
    await Promise.all([refresh(), queries.invalidateQueries({ queryKey: ["providers"] })]);
  };
  const status = STATUS[row.status];
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-3 py-2.5" data-testid="key-row">
      <div className="min-w-40 flex-1">
        <p className="text-sm font-medium">
          {provider}
          {row.label && <span className="font-normal text-muted"> · {row.label}</span>}
        </p>
        <p className="flex flex-wrap gap-x-3 text-xs text-muted">
          {row.hint && <code>…{row.hint}</code>}
          {row.base_url && <span className="break-all">at {row.base_url}</span>}
          <span className={cn(status.tone)}>{status.words}</span>
          <span>
            {row.last_used_at ? (
              <>
                used <RelativeTime at={row.last_used_at} />
              </>
            ) : (
              "never used"
            )}
          </span>
        </p>
      </div>
      <div className="flex flex-wrap gap-1">
        <Button size="small" disabled={test.isPending} onClick={() => test.mutate()}>
          {test.isPending ? "Testing…" : "Test"}
        </Button>
        <Button size="small" onClick={() => onTask({ kind: "label", row })}>
          Label
        </Button>
        <Button size="small" onClick={() => onTask({ kind: "replace", row })}>
          Replace
        </Button>
        <Button size="small" look="danger" onClick={() => setIsDeleting(true)}>
          Delete
        </Button>
      </div>
      <Confirm
        open={isDeleting}
        onClose={() => setIsDeleting(false)}
        title={`Delete the ${provider} key?`}
        action="Delete key"
        onConfirm={remove}
      >
        <p>
          Running sessions that use it lose it at once and their next model call fails. The key at the
          provider stays.
        </p>
      </Confirm>
    </li>
  );
}
