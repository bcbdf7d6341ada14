// Personal access tokens: made here, shown once, deleted here.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, Ticket } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/button";
import { CopyButton } from "@/components/copy-button";
import { Confirm, Dialog } from "@/components/dialog";
import { Choice, Field, FormError, Input, Select } from "@/components/form";
import { Empty, Problem, Skeleton } from "@/components/states";
import { RelativeTime } from "@/components/time";
import { messageOf } from "@/lib/api/errors";
import { createToken, deleteToken, tokensQuery } from "@/lib/api/tokens";
import type { AccessToken } from "@/lib/api/types";

const SCOPES = [
  { id: "read", label: "Read", description: "Look at everything" },
  { id: "write", label: "Write", description: "Work with sessions" },
  { id: "admin", label: "Admin", description: "Manage keys, tokens and the account" },
] as const;

const LIFETIMES = [
  { days: 30, label: "30 days" },
  { days: 90, label: "90 days" },
  { days: 365, label: "1 year" },
] as const;

export function TokensPage() {
  const tokens = useQuery(tokensQuery);
  const [isMaking, setIsMaking] = useState(false);
  const make = (
    <Button look="primary" onClick={() => setIsMaking(true)}>
      <Plus className="size-3.5" />
      New token
    </Button>
  );
  return (
    <section aria-labelledby="tokens-title" data-testid="tokens-page">
      <header className="flex items-center justify-between gap-3">
        <h1 id="tokens-title" className="text-xl font-semibold">
          Access tokens
        </h1>
        {tokens.data && tokens.data.length > 0 && make}
      </header>
      <p className="mt-1 mb-4 text-sm text-muted">
        Programs use the API with a token in the header{" "}
        <code className="text-xs">Authorization: Bearer oat_…</code>
      </p>
      {tokens.isPending && <Skeleton lines={3} />}
      {tokens.error && (
        <Problem
          what="The tokens could not be loaded"
          error={tokens.error}
          onRetry={() => tokens.refetch()}
        />
      )}
      {tokens.data?.length === 0 && (
        <div className="rounded-lg border border-border py-6">
          <Empty icon={<Ticket aria-hidden />} action={make}>
            There is no token yet.
          </Empty>
        </div>
      )}
      {tokens.data && tokens.data.length > 0 && (
        <ul className="divide-y divide-border rounded-lg border border-border bg-raised">
          {tokens.data.map((token) => (
            <TokenRow key={token.id} token={token} />
          ))}
        </ul>
      )}
      <Dialog open={isMaking} onClose={() => setIsMaking(false)} title="New access token">
        {isMaking && <NewToken onDone={() => setIsMaking(false)} />}
      </Dialog>
    </section>
  );
}

function TokenRow({ token }: { token: AccessToken }) {
  const queries = useQueryClient();
  const [isDeleting, setIsDeleting] = useState(false);
  const remove = async () => {
    await deleteToken(token.id);
    await queries.invalidateQueries({ queryKey: tokensQuery.queryKey });
  };
  return (
    <li className="flex items-center gap-4 px-3 py-2.5" data-testid="token-row">
      <div className="min-w-0 flex-1">
        <p className="truncate text-sm font-medium">{token.name}</p>
        <p className="flex flex-wrap gap-x-3 text-xs text-muted">
          <span>{token.scopes.join(", ")}</span>
          <span>
            {token.last_used_at ? (
              <>
                used <RelativeTime at={token.last_used_at} />
              </>
            ) : (
              "never used"
            )}
          </span>
          <span>
            {token.expires_at
              ? `until ${new Date(token.expires_at).toLocaleDateString()}`
              : "does not expire"}
          </span>
        </p>
      </div>
      <Button size="small" look="danger" onClick={() => setIsDeleting(true)}>
        Delete
      </Button>
      <Confirm
        open={isDeleting}
        onClose={() => setIsDeleting(false)}
        title={`Delete the token “${token.name}”?`}
        action="Delete token"
        onConfirm={remove}
      >
        <p>Programs that use it are refused from now on.</p>
      </Confirm>
    </li>
  );
}

function NewToken({ onDone }: { onDone: () => void }) {
  const queries = useQueryClient();
  const mutation = useMutation({
    mutationFn: createToken,
    onSuccess: () => queries.invalidateQueries({ queryKey: tokensQuery.queryKey }),
  });
  if (mutation.data) return <MadeToken token={mutation.data.token} onDone={onDone} />;
  const submit = (form: FormData) => {
    const days = Number(form.get("days"));
    mutation.mutate({
      name: String(form.get("name") ?? "").trim(),
      scopes: SCOPES.map((scope) => scope.id).filter((id) => form.getAll("scopes").includes(id)),
      expires_at: days ? new Date(Date.now() + days * 86_400_000).toISOString() : null,
    });
  };
  return (
    <form
      data-testid="token-form"
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        submit(new FormData(event.currentTarget));
      }}
    >
      <Field label="Name" hint="What will use it.">
        {(ids) => <Input {...ids} name="name" maxLength={80} required />}
      </Field>
      <fieldset>
        <legend className="mb-1 text-sm font-medium">It may</legend>
        {SCOPES.map(({ id, label, description }) => (
          <Choice
            key={id}
            type="checkbox"
            name="scopes"
            value={id}
            label={label}
            description={description}
            defaultChecked={id === "read"}
          />
        ))}
      </fieldset>
      <Field label="Expires after">
        {(ids) => (
          <Select {...ids} name="days" defaultValue="90">
            {LIFETIMES.map(({ days, label }) => (
              <option key={days} value={days}>
                {label}
              </option>
            ))}
            <option value="">Never</option>
          </Select>
        )}
      </Field>
      {mutation.error && <FormError>{messageOf(mutation.error)}</FormError>}
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>Cancel</Button>
        <Button look="primary" type="submit" disabled={mutation.isPending}>
          Make token
        </Button>
      </div>
    </form>
  );
}

function MadeToken({ token, onDone }: { token: string; onDone: () => void }) {
  return (
    <div className="flex flex-col gap-3">
      <p className="text-sm">Copy it now: it is not shown again.</p>
      <div className="flex items-center gap-1 rounded-md border border-border bg-sunken py-1 pr-1 pl-3">
        <code data-testid="new-token" className="min-w-0 flex-1 text-sm [overflow-wrap:anywhere]">
          {token}
        </code>
        <CopyButton text={token} what="Token" />
      </div>
      <div className="flex justify-end">
        <Button look="primary" onClick={onDone}>
          Done
        </Button>
      </div>
    </div>
  );
}
