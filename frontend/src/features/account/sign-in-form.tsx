// E-mail and password; the same form on its own page and in the dialog when a login has ended.
import { useMutation } from "@tanstack/react-query";
import { Button } from "@/components/button";
import { Dialog } from "@/components/dialog";
import { Field, FormError, Input } from "@/components/form";
import { signIn } from "@/lib/api/account";
import { messageOf } from "@/lib/api/errors";
import { EntryPage } from "./entry-page";

interface SignInFormProps {
  onDone: () => void;
  /** Known already: only the password is missing. */
  email?: string;
}

function SignInForm({ onDone, email }: SignInFormProps) {
  const mutation = useMutation({ mutationFn: signIn, onSuccess: onDone });
  return (
    <form
      data-testid="sign-in-form"
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget);
        mutation.mutate({
          email: String(form.get("email") ?? "").trim(),
          password: String(form.get("password") ?? ""),
        });
      }}
    >
      <Field label="E-mail">
        {(ids) => (
          <Input
            {...ids}
            name="email"
            type="email"
            autoComplete="username"
            defaultValue={email}
            autoFocus={email === undefined}
            required
          />
        )}
      </Field>
      <Field label="Password">
        {(ids) => (
          <Input
            {...ids}
            name="password"
            type="password"
            autoComplete="current-password"
            autoFocus={email !== undefined}
            required
          />
        )}
      </Field>
      {mutation.error && <FormError>{messageOf(mutation.error)}</FormError>}
      <Button look="primary" type="submit" disabled={mutation.isPending}>
        {mutation.isPending ? "Signing in…" : "Sign in"}
      </Button>
    </form>
  );
}

export function SignInPage({ onDone }: { onDone: () => void }) {
  return (
    <EntryPage title="Sign in">
      <SignInForm onDone={onDone} />
    </EntryPage>
  );
}

/** Over whatever was on the screen, so that nothing that was typed is lost. */
export function SignInAgain({ open, email, onDone }: { open: boolean; email: string; onDone: () => void }) {
  return (
    <Dialog
      open={open}
      onClose={() => undefined}
      isForced
      title="Sign in again"
      description="Your login has ended. What you were writing is kept."
    >
      <SignInForm email={email} onDone={onDone} />
    </Dialog>
  );
}
