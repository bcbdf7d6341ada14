// The conversation with everything around it: plan, permission cards, what is on its way, and the composer.
import { Play } from "lucide-react";
import { type RefObject, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { toast } from "sonner";
import { Button } from "@/components/button";
import { CodeActions } from "@/components/code-block";
import { Composer } from "@/features/composer/composer";
import { Queue } from "@/features/composer/queue";
import { ConnectionLine } from "@/features/conversation/connection-line";
import { PlanBar } from "@/features/conversation/plan-bar";
import { Transcript } from "@/features/conversation/transcript";
import { askOfItem, askOfPermission } from "@/features/permissions/ask";
import { PermissionCard } from "@/features/permissions/permission-card";
import { WaitingBar } from "@/features/permissions/waiting-bar";
import { messageOf } from "@/lib/api/errors";
import { changeSession, startSession } from "@/lib/api/sessions";
import type { Mode, Permission, Prompt, Session, SessionState } from "@/lib/api/types";
import { useLiveSession } from "@/lib/live/session-store";
import { useIsPhone } from "@/lib/media";
import { submitPrompt } from "@/lib/outbox";
import type { Conversation, PermissionItem } from "@/protocol/conversation";
import { BudgetNotice } from "./budget-notice";
import { ChatControls } from "./chat-controls";
import { OutputTerminal } from "./lazy-terminals";
import { useMe } from "./me";
import { nextOf, OnTheWay } from "./on-the-way";
import { RunCode } from "./run-code";
import { SleepNotice } from "./sleep-notice";
import { useEscape } from "./use-escape";
import { useStop } from "./use-stop";
import { useRunInTerminal } from "./use-terminal-toggle";

const NO_BUDGETS: SessionState["budgets"] = [];
const NO_PERMISSIONS: Permission[] = [];
const NO_PROMPTS: Prompt[] = [];

export function Chat({ id }: { id: string }) {
  const me = useMe();
  const conversation = useLiveSession(id, (live) => live.conversation);
  const permissions = useLiveSession(id, (live) => live.state?.permissions ?? NO_PERMISSIONS);
  const prompts = useLiveSession(id, (live) => live.state?.prompts ?? NO_PROMPTS);
  const session = useLiveSession(id, (live) => live.state?.session ?? null);
  const budgets = useLiveSession(id, (live) => live.state?.budgets ?? NO_BUDGETS);
  const agent = conversation.agent?.name ?? "The agent";
  const renderPermission = useCallback(
    (item: PermissionItem, isBesideCall: boolean) => {
      const known = permissions.find((permission) => permission.id === item.permission_id);
      return (
        <PermissionCard
          key={item.permission_id}
          ask={askOfItem(item, known)}
          agent={agent}
          me={me.name}
          isBesideCall={isBesideCall}
        />
      );
    },
    [permissions, agent, me.name],
  );
  const [sent, setSent] = useState(0);
  const send = useCallback(
    (prompt: string) => {
      setSent((count) => count + 1);
      void submitPrompt(id, prompt);
    },
    [id],
  );
  const runInTerminal = useRunInTerminal(id);
  const codeActions = useCallback(
    (code: string, language: string) => <RunCode code={code} language={language} onRun={runInTerminal} />,
    [runInTerminal],
  );
  const pending = permissions.filter((permission) => permission.state === "pending");
  const unlogged = useUnlogged(conversation, pending);
  const queued = useQueued(prompts, session);
  const plan = conversation.turns.at(-1)?.plan ?? [];
  const composer = useRef<HTMLTextAreaElement>(null);
  const stopping = useStop(id);
  return (
    <main
      id="main"
      tabIndex={-1}
      // In a window that is lower than the composer alone it scrolls, instead of lying over what is below.
      className="flex min-h-0 flex-1 flex-col overflow-y-auto overflow-x-hidden outline-none"
    >
      <PlanBar plan={plan} />
      <CodeActions value={codeActions}>
        <Transcript
          session={id}
          conversation={conversation}
          sent={sent}
          renderPermission={renderPermission}
          onRunAgain={send}
          onRunInTerminal={runInTerminal}
          renderOutput={renderOutput}
        >
          {unlogged.map((permission) => (
            <PermissionCard
              key={permission.id}
              ask={askOfPermission(permission)}
              agent={agent}
              me={me.name}
            />
          ))}
          <OnTheWay id={id} conversation={conversation} prompts={prompts} session={session} />
        </Transcript>
      </CodeActions>
      <div className="mx-auto w-full max-w-180 shrink-0 px-4 pb-3 max-md:px-3 max-md:pb-2">
        <BudgetNotice budgets={budgets} />
        <WaitingBar asks={pending.map(askOfPermission)} agent={agent} me={me.name} />
        <Queue
          session={id}
          prompts={queued}
          composer={composer}
          onInterrupt={session?.turn ? stopping.stop : null}
        />
        <ConnectionLine session={id}>
          {session && isPaused(session) && <StartButton id={id} />}
          {session && <SleepNotice id={id} session={session} />}
        </ConnectionLine>
        <ChatComposer
          id={id}
          conversation={conversation}
          session={session}
          inputRef={composer}
          stopping={stopping}
          onSend={send}
        />
      </div>
    </main>
  );
}

function renderOutput(output: string, omitted: number) {
  return (
    <Suspense fallback={<div className="h-14" />}>
      <OutputTerminal output={output} omitted={omitted} />
    </Suspense>
  );
}

/** Asked already, but the log does not tell of it yet. */
function useUnlogged(conversation: Conversation, pending: Permission[]): Permission[] {
  const known = useMemo(() => {
    const items = conversation.turns.at(-1)?.items ?? [];
    return new Set(items.map((item) => (item.type === "permission" ? item.permission_id : "")));
  }, [conversation.turns]);
  return pending.filter((permission) => !known.has(permission.id));
}

/** Those that wait behind something; the one that is next is shown in the conversation. */
function useQueued(prompts: Prompt[], session: Session | null): Prompt[] {
  const next = nextOf(prompts, session);
  return prompts.filter((prompt) => prompt.state === "queued" && prompt !== next);
}

/** Nothing wakes the session by itself although prompts wait. */
function isPaused(session: Session): boolean {
  return (
    session.paused && session.queued_prompts > 0 && (session.status === "asleep" || session.status === "idle")
  );
}

function StartButton({ id }: { id: string }) {
  const start = () => startSession(id).catch((error: unknown) => toast.error(messageOf(error)));
  return (
    <Button size="small" onClick={start} data-testid="start-box">
      <Play className="size-3" />
      Start the box
    </Button>
  );
}

interface ChatComposerProps {
  id: string;
  conversation: Conversation;
  session: Session | null;
  inputRef: RefObject<HTMLTextAreaElement | null>;
  stopping: ReturnType<typeof useStop>;
  onSend: (prompt: string) => void;
}

function ChatComposer(props: ChatComposerProps) {
  const { id, conversation, session, inputRef, onSend } = props;
  const { stop, isStopping } = props.stopping;
  const isRunning = session?.turn != null;
  useEscape(isRunning ? stop : null, inputRef);
  const isPhone = useIsPhone();
  useEffect(() => {
    // On a phone the focus would bring up the keyboard.
    if (!isPhone) inputRef.current?.focus({ preventScroll: true });
  }, [isPhone, inputRef]);
  const history = useMemo(
    () => conversation.turns.map((turn) => turn.prompt).filter(Boolean),
    [conversation.turns],
  );
  const setMode = (mode: Mode) => {
    changeSession(id, { mode }).catch((error: unknown) => toast.error(messageOf(error)));
  };
  return (
    <Composer
      session={id}
      inputRef={inputRef}
      placeholder={placeholderFor(session, isRunning)}
      isRunning={isRunning}
      isStopping={isStopping}
      mode={session?.mode ?? "ask"}
      history={history}
      commands={conversation.config?.commands ?? []}
      canListFiles={session?.instance?.state === "ready"}
      controls={session && <ChatControls session={session} onMode={setMode} />}
      onSend={onSend}
      onStop={stop}
      onMode={setMode}
    />
  );
}

function placeholderFor(session: Session | null, isRunning: boolean): string {
  if (isRunning) return "Queue the next prompt…";
  return session?.status === "asleep" ? "Send a prompt to wake the session…" : "Message…";
}
