// The first visit: makes the first account.
import { useMutation } from "@tanstack/react-query";
import { Button } from "@/components/button";
import { Field, FormError, Input } from "@/components/form";
import { setUp } from "@/lib/api/account";
import { ApiError, isCode, messageOf } from "@/lib/api/errors";
import type { Me } from "@/lib/api/types";
import { EntryPage } from "./entry-page";

interface SetupFormProps {
  isCodeRequired: boolean;
  onDone: (me: Me) => void;
  /** Somebody else was faster: there is an account now. */
  onTooLate: () => void;
}

export function SetupForm({ isCodeRequired, onDone, onTooLate }: SetupFormProps) {
  const mutation = useMutation({
    mutationFn: setUp,
    onSuccess: onDone,
    onError: (error) => {
      if (isCode(error, "already_set_up")) onTooLate();
    },
  });
  const errors = mutation.error instanceof ApiError ? mutation.error.fieldErrors : {};
  const submit = (form: FormData) => {
    const text = (name: string) => String(form.get(name) ?? "").trim();
    mutation.mutate({
      email: text("email"),
      password: String(form.get("password") ?? ""),
      ...(text("name") && { name: text("name") }),
      ...(isCodeRequired && { code: text("code") }),
    });
  };
  return (
    <EntryPage
      title="Set up OpenAgent"
      lead="This makes the first account. It may do everything, other accounts included."
    >
      <form
        data-testid="setup-form"
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          submit(new FormData(event.currentTarget));
        }}
      >
        <Field label="E-mail" error={errors.email}>
          {(ids) => <Input {...ids} name="email" type="email" autoComplete="username" autoFocus required />}
        </Field>
        <Field label="Name" hint="How others see you. Optional." error={errors.name}>
          {(ids) => <Input {...ids} name="name" autoComplete="name" />}
        </Field>
        <Field label="Password" hint="At least 10 characters." error={errors.password}>
          {(ids) => (
            <Input
              {...ids}
              name="password"
              type="password"
              autoComplete="new-password"
              minLength={10}
              required
            />
          )}
        </Field>
        {isCodeRequired && (
          <Field
            label="Set-up code"
            hint="It was printed in the terminal where OpenAgent was started."
            error={errors.code}
          >
            {(ids) => <Input {...ids} name="code" autoComplete="one-time-code" required />}
          </Field>
        )}
        {mutation.error && Object.keys(errors).length === 0 && (
          <FormError>{messageOf(mutation.error)}</FormError>
        )}
        <Button look="primary" type="submit" disabled={mutation.isPending}>
          {mutation.isPending ? "Making the account…" : "Make the account"}
        </Button>
      </form>
    </EntryPage>
  );
}
