// Everything that was done with a key, the newest first.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Dialog } from "@/components/dialog";
import { Problem, Skeleton } from "@/components/states";
import { RelativeTime } from "@/components/time";
import { usesQuery } from "@/lib/api/keys";
import type { KeyUse, ProviderKey } from "@/lib/api/types";

const WORDS: Record<KeyUse["action"], string> = {
  made: "Added",
  replaced: "Replaced",
  relabelled: "Labelled",
  deleted: "Deleted",
  tested: "Tested",
  sealed: "Given to a session's gate",
  rewrapped: "Encrypted anew",
  shared: "Shared with",
  consented: "Agreed that boxes get it",
};

interface UsesDialogProps {
  row: ProviderKey;
  provider: string;
  open: boolean;
  onClose: () => void;
}

export function UsesDialog({ row, provider, open, onClose }: UsesDialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title={`Uses of the ${provider} key`}>
      {open && <Uses id={row.id} />}
    </Dialog>
  );
}

function Uses({ id }: { id: string }) {
  const uses = useQuery({ ...usesQuery(id), staleTime: 0 });
  if (uses.error) {
    return <Problem what="The uses could not be loaded" error={uses.error} onRetry={() => uses.refetch()} />;
  }
  if (!uses.data) return <Skeleton lines={5} />;
  return (
    <ul className="divide-y divide-border text-sm" data-testid="key-uses">
      {uses.data.map((use) => (
        <li key={`${use.at} ${use.action}`} className="flex flex-wrap justify-between gap-x-3 py-1.5">
          <span>
            {WORDS[use.action]} {use.detail}
            {use.session && (
              <>
                {" · "}
                <Link to="/sessions/$sessionId" params={{ sessionId: use.session }} className="underline">
                  session
                </Link>
              </>
            )}
            {use.user && !use.session && <span className="text-muted"> · {use.user}</span>}
          </span>
          <span className="text-xs text-muted">
            <RelativeTime at={use.at} />
          </span>
        </li>
      ))}
    </ul>
  );
}
