// One key: what it is, what the provider said of it, and what its owner can do with it.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/components/button";
import { Confirm } from "@/components/dialog";
import { RelativeTime } from "@/components/time";
import { meQuery } from "@/lib/api/account";
import { messageOf } from "@/lib/api/errors";
import { deleteKey, testKey } from "@/lib/api/keys";
import type { KeySharing, Provider, ProviderKey } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import type { KeyTask } from "./key-dialog";
import { SharingDialog } from "./sharing-dialog";
import { UsesDialog } from "./uses-dialog";

const STATUS: Record<ProviderKey["status"], { words: string; tone: string }> = {
  untested: { words: "Not tested", tone: "text-faint" },
  ok: { words: "Accepted", tone: "text-ok" },
  refused: { words: "Refused by the provider", tone: "text-bad" },
};

interface KeyRowProps {
  row: ProviderKey;
  providers: Provider[];
  onTask: (task: KeyTask) => void;
}

export function KeyRow({ row, providers, onTask }: KeyRowProps) {
  const queries = useQueryClient();
  const { data: me } = useQuery(meQuery);
  const [open, setOpen] = useState<"delete" | "uses" | "sharing" | null>(null);
  const close = () => setOpen(null);
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
          {row.is_shared_with_me ? (
            <span>shared by your administrator</span>
          ) : (
            <span>
              {row.last_used_at ? (
                <>
                  used <RelativeTime at={row.last_used_at} />
                </>
              ) : (
                "never used"
              )}
            </span>
          )}
          {row.box_consent_at && (
            <span className="text-attention">
              inside of boxes, agreed <RelativeTime at={row.box_consent_at} />
            </span>
          )}
          {row.sharing && <SharedWith sharing={row.sharing} />}
        </p>
      </div>
      {!row.is_shared_with_me && (
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
          <Button size="small" onClick={() => setOpen("uses")}>
            Uses
          </Button>
          {me?.is_staff && (
            <Button size="small" onClick={() => setOpen("sharing")}>
              Share
            </Button>
          )}
          <Button size="small" look="danger" onClick={() => setOpen("delete")}>
            Delete
          </Button>
        </div>
      )}
      <UsesDialog row={row} provider={provider} open={open === "uses"} onClose={close} />
      <SharingDialog row={row} provider={provider} open={open === "sharing"} onClose={close} />
      <Confirm
        open={open === "delete"}
        onClose={close}
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

function SharedWith({ sharing }: { sharing: KeySharing }) {
  const names = [...(sharing.everyone ? ["everyone"] : []), ...sharing.groups];
  return names.length > 0 ? <span>shared with {names.join(", ")}</span> : null;
}
