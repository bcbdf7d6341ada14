// A failure in the conversation: what it was, what is kept, what to do.
import { Link } from "@tanstack/react-router";
import { CircleX } from "lucide-react";
import { serverNow } from "@/lib/server-clock";
import { clock, useSeconds } from "@/lib/time";
import type { ErrorClass } from "@/protocol/events";
import { ERROR_WORDS } from "./error-words";

interface ErrorCardProps {
  errorClass: ErrorClass;
  message: string;
  retryAt?: string | undefined;
}

export function titleOfError(errorClass: ErrorClass): string {
  return (ERROR_WORDS[errorClass] ?? ERROR_WORDS.internal).title;
}

export function ErrorCard({ errorClass, message, retryAt }: ErrorCardProps) {
  const words = ERROR_WORDS[errorClass] ?? ERROR_WORDS.internal;
  return (
    <article
      aria-label={words.title}
      data-testid="error-card"
      data-class={errorClass}
      className="measure flex gap-2.5 rounded-md border border-bad-border bg-bad-soft px-3 py-2 text-sm"
    >
      <CircleX aria-hidden className="mt-0.5 size-4 shrink-0 text-bad" />
      <div className="min-w-0">
        <p className="font-medium">{words.title}</p>
        {message && <p className="text-muted [overflow-wrap:anywhere]">{message}</p>}
        <p>
          {words.advice}{" "}
          {words.place && (
            <Link to="/settings/$section" params={{ section: words.place }} className="text-accent underline">
              {words.place === "keys" ? "Provider keys" : "Usage and budgets"}
            </Link>
          )}
          {retryAt && <RetryAt at={retryAt} />}
        </p>
      </div>
    </article>
  );
}

/** The time that the provider named, counting down. */
export function RetryAt({ at, isAutomatic = false }: { at: string; isAutomatic?: boolean }) {
  useSeconds();
  const left = Date.parse(at) - serverNow();
  if (Number.isNaN(left)) return null;
  return (
    <span className="text-muted">
      {left > 0 ? `${isAutomatic ? "Next try" : "Possible again"} in ${clock(left + 999)}.` : ""}
      {left <= 0 && !isAutomatic && "Possible again now."}
    </span>
  );
}
