// Somebody's own account: the name that others see, the password, and the browsers in which they are signed in.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useId, useState } from "react";
import { toast } from "sonner";
import { Button } from "@/components/button";
import { Field, FormError, Input } from "@/components/form";
import { browsersQuery, changeName, changePassword, meQuery } from "@/lib/api/account";
import { ApiError, messageOf } from "@/lib/api/errors";
import type { Me } from "@/lib/api/types";
import { Browsers } from "./browsers";

export function AccountPage({ me }: { me: Me }) {
  return (
    <section aria-labelledby="account-title" data-testid="account-page" className="flex flex-col gap-8">
      <header>
        <h1 id="account-title" className="text-xl font-semibold">
          Account
        </h1>
        <p className="mt-1 text-sm text-muted [overflow-wrap:anywhere]">
          You are signed in as <strong className="font-medium text-fg">{me.email}</strong>. Only an
          administrator can change the address.
        </p>
      </header>
      <Part title="Name">
        <NameForm me={me} />
      </Part>
      <Part title="Password">
        <PasswordForm email={me.email} />
      </Part>
      <Browsers />
    </section>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <h2 id={id} className="mb-2 text-base font-semibold">
        {title}
      </h2>
      {children}
    </section>
  );
}

function NameForm({ me }: { me: Me }) {
  const queries = useQueryClient();
  const known = me.name === me.email ? "" : me.name;
  const [name, setName] = useState(known);
  const mutation = useMutation({
    mutationFn: changeName,
    onSuccess: (changed) => {
      queries.setQueryData(meQuery.queryKey, changed);
      toast.success("Your name was changed.");
    },
  });
  return (
    <form
      data-testid="name-form"
      className="flex max-w-90 flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        mutation.mutate(name.trim());
      }}
    >
      <Field
        label="Name"
        hint="How others see you. Without one they see your e-mail address."
        error={mutation.error ? messageOf(mutation.error) : undefined}
      >
        {(ids) => (
          <Input
            {...ids}
            autoComplete="name"
            maxLength={150}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <Button type="submit" className="self-start" disabled={mutation.isPending || name.trim() === known}>
        Save the name
      </Button>
    </form>
  );
}

function PasswordForm({ email }: { email: string }) {
  const queries = useQueryClient();
  const [isDifferent, setIsDifferent] = useState(false);
  const mutation = useMutation({
    mutationFn: ({ current, wanted }: { current: string; wanted: string }) => changePassword(current, wanted),
    onSuccess: () => {
      toast.success("Your password was changed. All other browsers were signed out.");
      void queries.invalidateQueries({ queryKey: browsersQuery.queryKey });
    },
  });
  const errors = mutation.error instanceof ApiError ? mutation.error.fieldErrors : {};
  const known = errors.current_password || errors.new_password;
  const forgive = () => setIsDifferent(false);
  const submit = (form: HTMLFormElement) => {
    const given = new FormData(form);
    const wanted = String(given.get("new") ?? "");
    const isSame = wanted === given.get("again");
    setIsDifferent(!isSame);
    if (!isSame) return;
    mutation.mutate(
      { current: String(given.get("current") ?? ""), wanted },
      { onSuccess: () => form.reset() },
    );
  };
  return (
    <form
      data-testid="password-form"
      className="flex max-w-90 flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        submit(event.currentTarget);
      }}
    >
      {/* For programs that keep passwords: whose it is. */}
      <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
      <Field label="Present password" error={errors.current_password}>
        {(ids) => <Input {...ids} name="current" type="password" autoComplete="current-password" required />}
      </Field>
      <Field label="New password" hint="At least 10 characters." error={errors.new_password}>
        {(ids) => <NewPassword {...ids} name="new" onChange={forgive} />}
      </Field>
      <Field
        label="New password again"
        error={isDifferent ? "This is not the same as the new password." : undefined}
      >
        {(ids) => <NewPassword {...ids} name="again" onChange={forgive} />}
      </Field>
      {mutation.error && !known && <FormError>{messageOf(mutation.error)}</FormError>}
      <div className="flex flex-wrap items-center gap-3">
        <Button type="submit" disabled={mutation.isPending}>
          {mutation.isPending ? "Changing…" : "Change the password"}
        </Button>
        <p className="text-xs text-muted">Every other browser is signed out. Access tokens stay.</p>
      </div>
    </form>
  );
}

function NewPassword(props: { id: string; name: string; onChange: () => void }) {
  return <Input {...props} type="password" autoComplete="new-password" minLength={10} required />;
}
