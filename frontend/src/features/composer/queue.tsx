// Prompts that wait for the agent: to be read, changed or taken back until it has them.
import { Clock, Pencil, X } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { Button, IconButton } from "@/components/button";
import { TextArea } from "@/components/form";
import { isCode, messageOf } from "@/lib/api/errors";
import { editPrompt, withdrawPrompt } from "@/lib/api/sessions";
import type { Prompt } from "@/lib/api/types";

export function Queue({ session, prompts }: { session: string; prompts: Prompt[] }) {
  if (prompts.length === 0) return null;
  return (
    <section
      aria-label="Queued prompts"
      data-testid="queue"
      className="mb-2 max-h-[30dvh] overflow-y-auto rounded-lg border border-border bg-sunken"
    >
      <h2 className="px-3 pt-1.5 text-2xs font-semibold tracking-wide text-faint uppercase">
        Next ({prompts.length})
      </h2>
      <ol className="divide-y divide-border">
        {prompts.map((prompt) => (
          <QueueItem key={prompt.id} session={session} prompt={prompt} />
        ))}
      </ol>
    </section>
  );
}

/** Tells what went wrong; that the agent was faster is no fault. */
function explain(error: unknown): void {
  if (isCode(error, "prompt_not_queued")) toast("The agent already has this prompt.");
  else toast.error(messageOf(error));
}

export function QueueItem({ session, prompt }: { session: string; prompt: Prompt }) {
  const [draft, setDraft] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const run = async (change: () => Promise<unknown>) => {
    setIsBusy(true);
    await change().catch(explain);
    setIsBusy(false);
    setDraft(null);
  };
  return (
    <li
      className="flex items-start gap-2 px-3 py-1.5 text-sm"
      data-testid="queue-item"
      data-prompt={prompt.id}
    >
      {draft === null ? (
        <>
          <Clock aria-hidden className="mt-1 size-3.5 shrink-0 text-faint" />
          <p className="line-clamp-3 min-w-0 flex-1 whitespace-pre-wrap py-0.5 [overflow-wrap:anywhere]">
            {prompt.text}
          </p>
          <IconButton
            label="Edit queued prompt"
            small
            disabled={isBusy}
            onClick={() => setDraft(prompt.text)}
          >
            <Pencil className="size-3.5" />
          </IconButton>
          <IconButton
            label="Remove queued prompt"
            small
            disabled={isBusy}
            onClick={() => run(() => withdrawPrompt(session, prompt.id))}
          >
            <X className="size-3.5" />
          </IconButton>
        </>
      ) : (
        <form
          className="flex w-full flex-col gap-2 py-1"
          onSubmit={(event) => {
            event.preventDefault();
            if (draft.trim()) void run(() => editPrompt(session, prompt.id, draft));
          }}
        >
          <TextArea
            aria-label="Queued prompt"
            rows={3}
            autoFocus
            value={draft}
            onChange={(event) => setDraft(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Escape") {
                event.stopPropagation();
                setDraft(null);
              }
            }}
          />
          <div className="flex justify-end gap-2">
            <Button size="small" onClick={() => setDraft(null)}>
              Cancel
            </Button>
            <Button size="small" look="primary" type="submit" disabled={isBusy || !draft.trim()}>
              Save
            </Button>
          </div>
        </form>
      )}
    </li>
  );
}
