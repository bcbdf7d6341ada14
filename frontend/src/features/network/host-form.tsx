// One field and one button: a host, and what is to hold for it.
import { type FormEvent, type ReactNode, useState } from "react";
import { Field, Input } from "@/components/form";
import { messageOf } from "@/lib/api/errors";

interface HostFormProps {
  label: string;
  /** Carries it out; what it throws is shown below the field. */
  onSubmit: (host: string, verdict: string) => Promise<unknown>;
  /** The buttons; the value of the one that is pressed is the verdict. */
  children: (isBusy: boolean) => ReactNode;
}

export function HostForm({ label, onSubmit, children }: HostFormProps) {
  const [host, setHost] = useState("");
  const [state, setState] = useState({ isBusy: false, error: "" });
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const pressed = (event.nativeEvent as SubmitEvent).submitter;
    const verdict = pressed instanceof HTMLButtonElement ? pressed.value : "";
    setState({ isBusy: true, error: "" });
    try {
      await onSubmit(host, verdict);
      setHost("");
      setState({ isBusy: false, error: "" });
    } catch (error) {
      setState({ isBusy: false, error: messageOf(error) });
    }
  };
  return (
    <form onSubmit={submit} data-testid="host-form">
      <Field
        label={label}
        error={state.error || undefined}
        hint="example.com, *.example.com for all below it, or example.com:8443"
      >
        {(ids) => (
          <div className="flex flex-wrap gap-2">
            <Input
              {...ids}
              name="host"
              value={host}
              maxLength={260}
              autoCapitalize="none"
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => setHost(event.target.value)}
              className="min-w-40 flex-1"
            />
            {children(state.isBusy || !host.trim())}
          </div>
        )}
      </Field>
    </form>
  );
}
