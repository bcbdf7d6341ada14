// An administrator shares a key: others can use it in their sessions, and nobody can read it.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button } from "@/components/button";
import { Dialog } from "@/components/dialog";
import { Choice, Field, FormError, Input } from "@/components/form";
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
    const groups = String(form.get("groups") ?? "").split(",");
    mutation.mutate({
      everyone: form.get("everyone") === "on",
      groups: groups.map((name) => name.trim()).filter(Boolean),
    });
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
      <Field
        label="Groups"
        hint="Names, separated by commas; groups are made in the admin."
        error={errors.groups}
      >
        {(ids) => <Input {...ids} name="groups" defaultValue={sharing.groups.join(", ")} />}
      </Field>
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
