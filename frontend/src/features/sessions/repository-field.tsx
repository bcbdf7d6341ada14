// The repository that a new session begins with: optional, so it is folded away.
import { Link } from "@tanstack/react-router";
import { Field, Input } from "@/components/form";

export interface RepositoryWish {
  url: string;
  branch: string;
}

interface RepositoryFieldProps {
  value: RepositoryWish;
  error: string | undefined;
  onChange: (change: Partial<RepositoryWish>) => void;
}

export function RepositoryField({ value, error, onChange }: RepositoryFieldProps) {
  return (
    <details
      data-testid="repository"
      // What was asked for is seen at once, and not below what stays at the bottom.
      onToggle={(event) =>
        event.currentTarget.open && event.currentTarget.scrollIntoView?.({ block: "nearest" })
      }
      className="scroll-mb-20"
    >
      <summary className="cursor-pointer text-sm font-medium">Repository</summary>
      <div className="mt-2 grid gap-4 sm:grid-cols-[2fr_1fr]">
        <Field
          label="Address"
          error={error}
          hint={
            <>
              The workspace begins as a clone of it. To use a private one, or to push,{" "}
              <Link to="/settings/$section" params={{ section: "keys" }} className="text-accent underline">
                add a token for its host
              </Link>
              .
            </>
          }
        >
          {(ids) => (
            <Input
              {...ids}
              name="repository-url"
              type="url"
              inputMode="url"
              autoComplete="off"
              spellCheck={false}
              maxLength={300}
              placeholder="https://github.com/OWNER/NAME"
              value={value.url}
              onChange={(event) => onChange({ url: event.target.value })}
            />
          )}
        </Field>
        <Field label="Branch" hint="Optional: its usual one otherwise.">
          {(ids) => (
            <Input
              {...ids}
              name="repository-branch"
              autoComplete="off"
              spellCheck={false}
              maxLength={200}
              value={value.branch}
              onChange={(event) => onChange({ branch: event.target.value })}
            />
          )}
        </Field>
      </div>
    </details>
  );
}
