// Form fields: a label, the control, a hint or what is wrong, tied together for everybody.
import { ChevronDown } from "lucide-react";
import { type ComponentProps, type ReactNode, useId } from "react";
import { cn } from "@/lib/cn";

const control =
  "w-full rounded-md border border-border-strong/60 bg-raised px-2.5 text-base text-fg transition-ui hover:border-border-strong aria-invalid:border-bad disabled:opacity-60";

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  className?: string;
  children: (ids: {
    id: string;
    "aria-describedby": string | undefined;
    "aria-invalid": boolean;
  }) => ReactNode;
}

export function Field({ label, hint, error, className, children }: FieldProps) {
  const id = useId();
  const noteId = `${id}-note`;
  return (
    <div className={cn("flex min-w-0 flex-col gap-1", className)}>
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      {children({
        id,
        "aria-describedby": hint || error ? noteId : undefined,
        "aria-invalid": Boolean(error),
      })}
      {(error || hint) && (
        <div id={noteId} className="text-xs text-muted">
          {error && (
            <p role="alert" className="text-bad">
              {error}
            </p>
          )}
          {hint && <p>{hint}</p>}
        </div>
      )}
    </div>
  );
}

export function Input({ className, ...rest }: ComponentProps<"input">) {
  return <input className={cn(control, "h-(--control)", className)} {...rest} />;
}

export function TextArea({ className, ...rest }: ComponentProps<"textarea">) {
  return <textarea className={cn(control, "resize-none py-2 leading-snug", className)} {...rest} />;
}

interface SelectProps extends ComponentProps<"select"> {
  /** Without a border, as wide as its value: for bars. */
  bare?: boolean;
}

/** The platform's own list: it works with every keyboard, reader and phone. */
export function Select({ bare, className, children, ...rest }: SelectProps) {
  const look = bare
    ? "h-6 max-w-full truncate [field-sizing:content] rounded-md bg-transparent pr-5 pl-1.5 text-xs text-muted hover:bg-hover hover:text-fg max-md:h-11"
    : cn(control, "h-(--control) pr-7");
  return (
    <span className={cn("relative inline-flex min-w-0 items-center", !bare && "w-full", className)}>
      <select className={cn("appearance-none transition-ui", look)} {...rest}>
        {children}
      </select>
      <ChevronDown aria-hidden className="pointer-events-none absolute right-1.5 size-3 text-muted" />
    </span>
  );
}

interface ChoiceProps extends Omit<ComponentProps<"input">, "type"> {
  type: "checkbox" | "radio";
  label: ReactNode;
  description?: ReactNode;
}

/** The whole row is the target. */
export function Choice({ label, description, className, ...rest }: ChoiceProps) {
  return (
    <label
      className={cn("flex cursor-pointer items-start gap-2 py-1 max-md:min-h-11 max-md:py-2.5", className)}
    >
      <input className="mt-0.75 size-3.5 shrink-0 accent-(--accent)" {...rest} />
      <span className="min-w-0 text-sm">
        {label}
        {description && <span className="block text-xs text-muted">{description}</span>}
      </span>
    </label>
  );
}

/** What is wrong with a whole form. */
export function FormError({ children }: { children: ReactNode }) {
  return (
    <p role="alert" className="rounded-md border border-bad-border bg-bad-soft px-3 py-2 text-sm text-bad">
      {children}
    </p>
  );
}
