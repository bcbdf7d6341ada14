// Prompts that wait for the agent: to be read, changed or taken back until it has them.
import { AlarmClock, Clock, FastForward, Pencil, SendHorizontal, X } from "lucide-react";
import { type RefObject, useState } from "react";
import { toast } from "sonner";
import { Button, IconButton } from "@/components/button";
import { TextArea } from "@/components/form";
import { isCode, messageOf } from "@/lib/api/errors";
import { sendNow, withdrawPrompt } from "@/lib/api/sessions";
import type { Prompt } from "@/lib/api/types";
import { serverNow } from "@/lib/server-clock";
import { clock, timeOfDay, useSeconds } from "@/lib/time";
import { useQueueEdits } from "./use-queue-edits";

interface QueueProps {
  session: string;
  prompts: Prompt[];
  /** Where the words go that were written over a prompt which has left the queue. */
  composer: RefObject<HTMLTextAreaElement | null>;
  /** Stops the run that the first of them waits for; null while there is none. */
  onInterrupt: (() => void) | null;
}

export function Queue({ session, prompts, composer, onInterrupt }: QueueProps) {
  const { edits, begin, write, giveUp, save } = useQueueEdits(session, prompts, composer);
  if (prompts.length === 0) return null;
  const first = prompts.find((prompt) => !prompt.due_at);
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
        {prompts.map((prompt) => {
          const edit = edits[prompt.id];
          return (
            <li
              key={prompt.id}
              className="flex items-start gap-2 px-3 py-1.5 text-sm"
              data-testid="queue-item"
              data-prompt={prompt.id}
            >
              {edit ? (
                <Editor
                  text={edit.text}
                  isSaving={edit.isSaving}
                  onChange={(text) => write(prompt.id, edit, text)}
                  onSave={() => void save(prompt.id, edit)}
                  onCancel={() => giveUp(prompt.id)}
                />
              ) : (
                <Waiting
                  session={session}
                  prompt={prompt}
                  onEdit={() => begin(prompt)}
                  onInterrupt={prompt === first ? onInterrupt : null}
                />
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}

/** Tells what went wrong; that the agent was faster is no fault. */
function explain(error: unknown): void {
  if (isCode(error, "prompt_not_queued")) toast("The agent already has this prompt.");
  else toast.error(messageOf(error));
}

interface WaitingProps {
  session: string;
  prompt: Prompt;
  onEdit: () => void;
  onInterrupt: (() => void) | null;
}

function Waiting({ session, prompt, onEdit, onInterrupt }: WaitingProps) {
  const [isBusy, setIsBusy] = useState(false);
  const act = async (change: typeof withdrawPrompt | typeof sendNow) => {
    setIsBusy(true);
    await change(session, prompt.id).catch(explain);
    setIsBusy(false);
  };
  const Icon = prompt.due_at ? AlarmClock : Clock;
  return (
    <>
      <Icon aria-hidden className="mt-1 size-3.5 shrink-0 text-faint" />
      <div className="min-w-0 flex-1 py-0.5">
        <p className="line-clamp-3 whitespace-pre-wrap [overflow-wrap:anywhere]">{prompt.text}</p>
        {prompt.due_at && <Due at={prompt.due_at} />}
      </div>
      {prompt.due_at && (
        <IconButton label="Send queued prompt now" small disabled={isBusy} onClick={() => act(sendNow)}>
          <SendHorizontal className="size-3.5" />
        </IconButton>
      )}
      {onInterrupt && (
        <IconButton label="Stop the run and send this now" small disabled={isBusy} onClick={onInterrupt}>
          <FastForward className="size-3.5" />
        </IconButton>
      )}
      <IconButton label="Edit queued prompt" small disabled={isBusy} onClick={onEdit}>
        <Pencil className="size-3.5" />
      </IconButton>
      <IconButton label="Remove queued prompt" small disabled={isBusy} onClick={() => act(withdrawPrompt)}>
        <X className="size-3.5" />
      </IconButton>
    </>
  );
}

/** When it is sent by itself. */
function Due({ at }: { at: string }) {
  useSeconds();
  const left = Date.parse(at) - serverNow();
  return (
    <p className="text-xs text-muted" data-testid="due">
      {left > 0 ? `Sent by itself at ${timeOfDay(at)}, in ${clock(left + 999)}.` : "Sent in a moment."}
    </p>
  );
}

interface EditorProps {
  text: string;
  isSaving: boolean;
  onChange: (text: string) => void;
  onSave: () => void;
  onCancel: () => void;
}

function Editor({ text, isSaving, onChange, onSave, onCancel }: EditorProps) {
  return (
    <form
      className="flex w-full flex-col gap-2 py-1"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() && !isSaving) onSave();
      }}
    >
      <TextArea
        ref={caretAtEnd}
        aria-label="Queued prompt"
        rows={3}
        autoFocus
        readOnly={isSaving}
        value={text}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") {
            event.stopPropagation();
            onCancel();
          }
        }}
      />
      <div className="flex justify-end gap-2">
        <Button size="small" onClick={onCancel}>
          Cancel
        </Button>
        <Button size="small" look="primary" type="submit" disabled={isSaving || !text.trim()}>
          Save
        </Button>
      </div>
    </form>
  );
}

/** Whoever changes a prompt most often adds to it. */
function caretAtEnd(element: HTMLTextAreaElement | null): void {
  element?.setSelectionRange(element.value.length, element.value.length);
}
