// Adding, replacing and labelling a key. The key itself goes one way only.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/button";
import { Dialog } from "@/components/dialog";
import { Field, FormError, Input, Select } from "@/components/form";
import { ApiError, messageOf } from "@/lib/api/errors";
import { addKey, labelKey, replaceKey } from "@/lib/api/keys";
import type { Provider, ProviderKey } from "@/lib/api/types";

export type KeyTask =
  | { kind: "add" }
  | { kind: "replace"; row: ProviderKey }
  | { kind: "label"; row: ProviderKey };

const TITLES: Record<KeyTask["kind"], string> = {
  add: "Add a provider key",
  replace: "Replace the key",
  label: "Label the key",
};

interface KeyDialogProps {
  task: KeyTask | null;
  providers: Provider[];
  onClose: () => void;
}

export function KeyDialog({ task, providers, onClose }: KeyDialogProps) {
  return (
    <Dialog open={task !== null} onClose={onClose} title={task ? TITLES[task.kind] : ""}>
      {task && <KeyForm task={task} providers={providers} onDone={onClose} />}
    </Dialog>
  );
}

interface Values {
  provider: string;
  label: string;
  key: string;
  base_url?: string;
  agrees_to_box?: boolean;
}

function send(task: KeyTask, { provider, label, ...secret }: Values): Promise<ProviderKey> {
  if (task.kind === "label") return labelKey(task.row.id, label);
  const { agrees_to_box, ...key } = secret;
  if (task.kind === "replace") return replaceKey(task.row.id, key);
  return addKey({ provider, label, ...key, ...(agrees_to_box && { agrees_to_box }) });
}

function KeyForm({ task, providers, onDone }: { task: KeyTask; providers: Provider[]; onDone: () => void }) {
  const queries = useQueryClient();
  const [providerId, setProviderId] = useState(
    task.kind === "add" ? (providers[0]?.id ?? "") : task.row.provider,
  );
  const provider = providers.find((candidate) => candidate.id === providerId);
  const isLogin = provider !== undefined && provider.agents.length > 0;
  const mutation = useMutation({
    mutationFn: (values: Values) => send(task, values),
    onSuccess: async () => {
      await Promise.all(
        ["keys", "providers", "me"].map((name) => queries.invalidateQueries({ queryKey: [name] })),
      );
      onDone();
    },
  });
  const errors = mutation.error instanceof ApiError ? mutation.error.fieldErrors : {};
  const submit = (form: FormData) => {
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const address = form.has("base_url") ? { base_url: text("base_url") } : {};
    mutation.mutate({
      provider: providerId,
      label: text("label"),
      key: text("key"),
      ...address,
      agrees_to_box: form.has("agrees_to_box"),
    });
  };
  return (
    <form
      data-testid="key-form"
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        submit(new FormData(event.currentTarget));
      }}
    >
      {task.kind === "add" && (
        <Field label="Provider" error={errors.provider}>
          {(ids) => (
            <Select
              {...ids}
              name="provider"
              value={providerId}
              onChange={(event) => {
                setProviderId(event.target.value);
                mutation.reset();
              }}
            >
              {providers.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </Select>
          )}
        </Field>
      )}
      {task.kind === "add" && provider?.note && <p className="text-xs text-muted">{provider.note}</p>}
      {task.kind !== "label" && provider && provider.address !== "fixed" && (
        <AddressField
          key={provider.id}
          provider={provider}
          value={task.kind === "replace" ? task.row.base_url : ""}
          error={errors.base_url}
        />
      )}
      {task.kind !== "label" && (
        <Field label={isLogin ? "Login" : "Key"} hint={<KeyHint provider={provider} />} error={errors.key}>
          {(ids) => (
            <Input
              {...ids}
              name="key"
              type="password"
              autoComplete="off"
              spellCheck={false}
              required
              className="font-mono"
            />
          )}
        </Field>
      )}
      {task.kind === "add" && provider?.enters_box && (
        <BoxConsent key={provider.id} error={errors.agrees_to_box} />
      )}
      {task.kind !== "replace" && (
        <Field label="Label" hint="Optional: tells two keys of one provider apart." error={errors.label}>
          {(ids) => (
            <Input
              {...ids}
              name="label"
              maxLength={80}
              defaultValue={task.kind === "label" ? task.row.label : ""}
            />
          )}
        </Field>
      )}
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

/** What is against the rule of every other key is said before it happens, and agreed to. */
function BoxConsent({ error }: { error: string | undefined }) {
  return (
    <div
      data-testid="box-consent"
      className="flex flex-col gap-2 rounded-md border border-border bg-sunken px-3 py-2 text-sm"
    >
      <p className="flex gap-2 text-attention">
        <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
        <span>
          This login has to be inside of the box. Whatever runs there, the agent and every program that it
          starts, can read it and send it to any host that the session may reach.
        </span>
      </p>
      <label className="flex cursor-pointer gap-2">
        <input
          type="checkbox"
          name="agrees_to_box"
          required
          className="mt-1 size-3.5 accent-(--accent)"
          aria-describedby={error && "box-consent-error"}
        />
        <span>I agree that it is put into the boxes of my sessions.</span>
      </label>
      {error && (
        <p id="box-consent-error" className="text-xs text-bad">
          {error}
        </p>
      )}
    </div>
  );
}

/** Where a key is used, for providers that leave that to whoever has one. */
function AddressField({
  provider,
  value,
  error,
}: {
  provider: Provider;
  value: string;
  error: string | undefined;
}) {
  const isRequired = provider.address === "required";
  return (
    <Field
      label="Base URL"
      hint={`${isRequired ? "" : "Optional. "}Such as ${provider.address_example}`}
      error={error}
    >
      {(ids) => (
        <Input
          {...ids}
          name="base_url"
          type="url"
          spellCheck={false}
          autoComplete="off"
          required={isRequired}
          maxLength={300}
          defaultValue={value}
        />
      )}
    </Field>
  );
}

function KeyHint({ provider }: { provider: Provider | undefined }) {
  if (!provider) return null;
  return (
    <>
      {provider.key_hint_format && <>Looks like {provider.key_hint_format} </>}
      {provider.key_page && (
        <a
          className="text-accent underline"
          href={provider.key_page}
          target="_blank"
          rel="noopener noreferrer"
        >
          {provider.agents.length > 0 ? "More" : "Make one"} at {new URL(provider.key_page).host}
        </a>
      )}
    </>
  );
}
