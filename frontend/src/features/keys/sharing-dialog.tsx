// An administrator shares a key: others can use it in their sessions, and nobody can read it.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button } from "@/components/button";
import { Dialog } from "@/components/dialog";
import { Choice, FormError } from "@/components/form";
import { Problem, Skeleton } from "@/components/states";
import { groupsQuery } from "@/lib/api/account";
import { ApiError, messageOf } from "@/lib/api/errors";
import { shareKey } from "@/lib/api/keys";
import type { KeySharing, ProviderKey } from "@/lib/api/types";

interface SharingDialogProps {
  row: ProviderKey;
  provider: string;
  open: boolean;
  onClose: () => void;
}

export function SharingDialog({ row, provider, open, onClose }: SharingDialogProps) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={`Share the ${provider} key`}
      description="Whoever you share it with can use it in sessions, at your cost. Nobody can read it."
    >
      {open && row.sharing && <SharingForm id={row.id} sharing={row.sharing} onDone={onClose} />}
    </Dialog>
  );
}

function SharingForm({ id, sharing, onDone }: { id: string; sharing: KeySharing; onDone: () => void }) {
  const queries = useQueryClient();
  const mutation = useMutation({
    mutationFn: (wish: KeySharing) => shareKey(id, wish),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["keys"] });
      onDone();
    },
  });
  const errors = mutation.error instanceof ApiError ? mutation.error.fieldErrors : {};
  const submit = (form: FormData) => {
    mutation.mutate({ everyone: form.get("everyone") === "on", groups: form.getAll("groups").map(String) });
  };
  return (
    <form
      data-testid="sharing-form"
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        submit(new FormData(event.currentTarget));
      }}
    >
      <Choice
        type="checkbox"
        name="everyone"
        label="Everyone"
        description="All users of this installation."
        defaultChecked={sharing.everyone}
      />
      <fieldset className="flex max-h-60 flex-col overflow-y-auto">
        <legend className="mb-1 text-sm font-medium">Groups</legend>
        <Groups shared={sharing.groups} />
      </fieldset>
      {errors.groups && <FormError>{errors.groups}</FormError>}
      {mutation.error && Object.keys(errors).length === 0 && (
        <FormError>{messageOf(mutation.error)}</FormError>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <Button look="primary" type="submit" disabled={mutation.isPending}>
          Save
        </Button>
      </div>
    </form>
  );
}

/** Until it is known which there are, those that it is shared with: saving takes it from none of them. */
function Groups({ shared }: { shared: string[] }) {
  const groups = useQuery(groupsQuery);
  const names = groups.data?.map((group) => group.name) ?? shared;
  return (
    <>
      {groups.isPending && <Skeleton lines={2} />}
      {groups.isError && (
        <Problem
          what="The groups could not be loaded"
          error={groups.error}
          onRetry={() => groups.refetch()}
        />
      )}
      {groups.data?.length === 0 && (
        <p className="text-xs text-muted">There are none; an administrator makes them in the admin.</p>
      )}
      {names.map((name) => (
        <Choice
          key={name}
          type="checkbox"
          name="groups"
          value={name}
          label={name}
          defaultChecked={shared.includes(name)}
        />
      ))}
    </>
  );
}
