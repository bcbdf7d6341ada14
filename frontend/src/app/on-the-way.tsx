// Between sending a prompt and the agent's first word: the prompt itself, and the box that starts for it.
import { CircleX, LoaderCircle, X } from "lucide-react";
import { useEffect } from "react";
import { toast } from "sonner";
import { Button, IconButton } from "@/components/button";
import { PromptView } from "@/features/conversation/prompt-view";
import { StartStages } from "@/features/conversation/start-stages";
import { messageOf } from "@/lib/api/errors";
import { startSession, stopSession, withdrawPrompt } from "@/lib/api/sessions";
import type { Prompt, Session } from "@/lib/api/types";
import { saveDraft } from "@/lib/drafts";
import { forgetPrompts, type Outgoing, outgoingOf, retryPrompt, useOutbox } from "@/lib/outbox";
import { serverNow } from "@/lib/server-clock";
import type { Conversation } from "@/protocol/conversation";

interface OnTheWayProps {
  id: string;
  conversation: Conversation;
  prompts: Prompt[];
  session: Session | null;
}

const report = (error: unknown) => toast.error(messageOf(error));

/** The prompt that stands in the conversation, not in the queue, because it is the next thing to happen. */
export function nextOf(prompts: Prompt[], session: Session | null): Prompt | undefined {
  if (session === null || session.turn !== null || session.paused) return undefined;
  return prompts.find((prompt) => prompt.state === "queued" && !waitsForItsTime(prompt));
}

function waitsForItsTime({ due_at }: Prompt): boolean {
  return due_at !== null && Date.parse(due_at) > serverNow();
}

export function OnTheWay({ id, conversation, prompts, session }: OnTheWayProps) {
  const outgoing = useUnshown(id, conversation, prompts);
  const turns = new Set(conversation.turns.map((turn) => turn.id));
  const open = prompts.find((prompt) => prompt.state !== "queued" && !turns.has(prompt.id));
  const next = nextOf(prompts, session);
  const isStarting = session?.status === "queued" || session?.status === "starting";
  return (
    <>
      {open && (
        <PromptView
          text={open.text}
          by={open.by?.name ?? ""}
          at={open.created_at}
          note={<Spinner>sent</Spinner>}
        />
      )}
      {next && (
        <PromptView
          text={next.text}
          by={next.by?.name ?? ""}
          at={next.created_at}
          note={isStarting ? <Spinner>waits for the box</Spinner> : <span>waits</span>}
          actions={
            <IconButton
              label="Take the prompt back"
              small
              onClick={() => withdrawPrompt(id, next.id).catch(report)}
            >
              <X className="size-3.5" />
            </IconButton>
          }
        />
      )}
      {outgoing.map((prompt) => (
        <OutgoingPrompt key={prompt.id} session={id} prompt={prompt} />
      ))}
      {isStarting && session && (
        <StartStages
          instance={liveInstance(session)}
          hasRepository={session.repository !== null}
          onCancel={() => stopSession(id).catch(report)}
        />
      )}
      {session?.status === "failed" && <StartFailed session={session} isTold={isFailureTold(conversation)} />}
    </>
  );
}

/** The stages of the last life say nothing about the next one. */
function liveInstance(session: Session) {
  const { instance } = session;
  return instance && (instance.state === "requested" || instance.state === "starting") ? instance : null;
}

/** What this browser sent and the platform does not show yet. */
function useUnshown(id: string, conversation: Conversation, prompts: Prompt[]): Outgoing[] {
  const outgoing = useOutbox(outgoingOf(id));
  useEffect(() => {
    // Also when another tab has just written about one that has long been shown.
    if (outgoing.length)
      forgetPrompts(id, new Set([...prompts, ...conversation.turns].map((known) => known.id)));
  }, [id, prompts, conversation.turns, outgoing]);
  return outgoing;
}

function Spinner({ children }: { children: string }) {
  return (
    <span className="flex items-center gap-1 text-running">
      <LoaderCircle aria-hidden className="size-3 motion-safe:animate-spin" />
      {children}
    </span>
  );
}

function OutgoingPrompt({ session, prompt }: { session: string; prompt: Outgoing }) {
  const isFailed = prompt.state === "failed";
  const discard = () => forgetPrompts(session, new Set([prompt.id]));
  const edit = () => {
    saveDraft(session, prompt.text);
    discard();
  };
  return (
    <div data-testid="outgoing-prompt" data-state={prompt.state} className="measure flex flex-col gap-1">
      <PromptView
        text={prompt.text}
        by=""
        at={null}
        isMuted={!isFailed}
        note={isFailed ? undefined : <Spinner>sending</Spinner>}
      />
      {isFailed && (
        <div role="alert" className="flex flex-wrap items-center gap-2 text-sm text-bad">
          <CircleX aria-hidden className="size-4" />
          <span className="min-w-0 flex-1">Not sent. {prompt.error}</span>
          <Button size="small" onClick={() => void retryPrompt(session, prompt.id)}>
            Send again
          </Button>
          <Button size="small" onClick={edit}>
            Edit
          </Button>
          <Button size="small" look="quiet" onClick={discard}>
            Discard
          </Button>
        </div>
      )}
    </div>
  );
}

/** Whether the conversation ends with why it failed, and with what to do about it. */
function isFailureTold({ notices, turns }: Conversation): boolean {
  const last = notices.at(-1);
  return last?.kind === "error" && last.seq > (turns.at(-1)?.seq ?? 0);
}

function StartFailed({ session, isTold }: { session: Session; isTold: boolean }) {
  const again = (
    <Button size="small" onClick={() => startSession(session.id).catch(report)}>
      Try again
    </Button>
  );
  if (isTold) {
    return (
      <section
        data-testid="start-failed"
        className="measure flex flex-wrap items-center gap-2.5 text-sm text-muted"
      >
        <p className="min-w-0 flex-1">The box was not started. Prompts and files are kept.</p>
        {again}
      </section>
    );
  }
  return (
    <section
      role="alert"
      data-testid="start-failed"
      className="measure flex flex-wrap items-center gap-2.5 rounded-md border border-bad-border bg-bad-soft px-3 py-2 text-sm"
    >
      <CircleX aria-hidden className="size-4 shrink-0 text-bad" />
      <div className="min-w-0 flex-1">
        <p className="font-medium">The box could not be started</p>
        <p className="text-muted [overflow-wrap:anywhere]">
          {session.instance?.error?.message || session.status_detail} Prompts and files are kept.
        </p>
        {session.instance?.error && (
          <code className="text-2xs text-faint">{session.instance.error.code}</code>
        )}
      </div>
      {again}
    </section>
  );
}
