// One turn: the prompt, everything that the agent did, and how it ended.
import { Ban, CircleX, RotateCcw, Scissors } from "lucide-react";
import { memo, type ReactNode, useMemo } from "react";
import { Button } from "@/components/button";
import { CopyButton } from "@/components/copy-button";
import { Elapsed } from "@/components/time";
import { cn } from "@/lib/cn";
import { useIsOutdated, useLiveSession } from "@/lib/live/session-store";
import { duration } from "@/lib/time";
import type { Item, Turn } from "@/protocol/conversation";
import type { StopReason } from "@/protocol/events";
import { useTranscript } from "./context";
import { ErrorCard, RetryAt } from "./error-card";
import { failedTriesOf } from "./failed-tries";
import { GoOnLater } from "./go-on-later";
import { hasPending, type ItemTree, treeOf } from "./item-tree";
import { PromptView } from "./prompt-view";
import { Message, Thought } from "./text-items";
import { PlanUpdate, ToolCard } from "./tool-card";
import { isPlanUpdate } from "./tool-words";

interface TurnViewProps {
  turn: Turn;
  /** Far from the screen, turns are not laid out; the last one always is. */
  isLast: boolean;
}

export const TurnView = memo(function TurnView({ turn, isLast }: TurnViewProps) {
  const tree = useMemo(() => treeOf(turn.items), [turn.items]);
  const isRunning = turn.status === "running";
  const failedTries = useMemo(() => failedTriesOf(turn), [turn]);
  return (
    <article
      data-turn={turn.id}
      data-turn-status={turn.status}
      data-stop-reason={turn.stop_reason ?? ""}
      aria-label={`Turn: ${turn.prompt.slice(0, 80)}`}
      className="flex flex-col gap-(--gap-item) [contain-intrinsic-size:auto_400px]"
      style={isLast ? undefined : { contentVisibility: "auto" }}
    >
      <div className="mb-1">
        <PromptView text={turn.prompt} by={turn.by} at={turn.started_at} />
      </div>
      {tree.top.map((item) => (
        <ItemView
          key={keyOf(item)}
          item={item}
          tree={tree}
          isTurnRunning={isRunning}
          failedTries={failedTries}
        />
      ))}
      {isRunning ? <Working turn={turn} /> : <TurnEnd turn={turn} isLast={isLast} />}
    </article>
  );
});

function keyOf(item: Item): string {
  return `${item.type}-${item.seq}`;
}

interface ItemViewProps {
  item: Item;
  tree: ItemTree;
  isTurnRunning: boolean;
  failedTries: ReadonlySet<Item>;
}

function ItemView({ item, tree, isTurnRunning, failedTries }: ItemViewProps): ReactNode {
  const { renderPermission } = useTranscript();
  switch (item.type) {
    case "message":
      return <Message item={item} isTurnRunning={isTurnRunning} isFailedTry={failedTries.has(item)} />;
    case "thought":
      return <Thought item={item} isTurnRunning={isTurnRunning} />;
    case "tool": {
      if (isPlanUpdate(item)) return <PlanUpdate />;
      const inner = tree.below.get(item.tool_call_id);
      return (
        <ToolCard
          tool={item}
          isTurnRunning={isTurnRunning}
          isWaiting={tree.waiting.has(item.tool_call_id)}
          isForcedOpen={hasPending(item.tool_call_id, tree.below)}
        >
          {inner?.map((child) => (
            <ItemView
              key={keyOf(child)}
              item={child}
              tree={tree}
              isTurnRunning={isTurnRunning}
              failedTries={failedTries}
            />
          ))}
        </ToolCard>
      );
    }
    case "permission":
      return renderPermission(item, tree.besideCall.has(item.permission_id));
    case "error":
      return <ErrorCard errorClass={item.class} message={item.message} retryAt={item.retry_at} />;
    case "suppressed":
      return (
        <p className="measure text-xs text-attention">
          {item.count.toLocaleString()} events ({item.kind}) were left out: there were too many.
        </p>
      );
  }
}

/** The turn is on: for how long, and whether the provider makes it wait. */
function Working({ turn }: { turn: Turn }) {
  const { session } = useTranscript();
  const retrying = useLiveSession(session, (live) => live.notes.retrying);
  const isOutdated = useIsOutdated(session);
  const isAsking = turn.items.some((item) => item.type === "permission" && item.state === "pending");
  if (retrying) {
    return (
      <p data-testid="working" className="measure flex flex-wrap gap-x-2 text-sm text-attention">
        <span>
          Waiting for the provider{retrying.attempt > 0 && ` (try ${retrying.attempt})`}: {retrying.message}
        </span>
        {retrying.retryAt && <RetryAt at={retrying.retryAt} isAutomatic />}
      </p>
    );
  }
  return (
    <p
      data-testid="working"
      className={cn("measure flex h-6 items-center gap-2 text-sm", isOutdated ? "text-faint" : "text-muted")}
    >
      <span
        aria-hidden
        className={cn("size-2 rounded-full", isOutdated ? "bg-border-strong" : "bg-running pulse-dot")}
      />
      {isOutdated && "When last seen: "}
      {isAsking ? "Waiting for your answer" : "Working"}{" "}
      <Elapsed since={turn.started_at} isCounting={!isOutdated} />
    </p>
  );
}

const END_WORDS: Partial<Record<StopReason, { icon: ReactNode; words: string }>> = {
  cancelled: { icon: <Ban />, words: "Stopped" },
  interrupted: { icon: <Ban />, words: "Interrupted: the box stopped. It is not run again by itself" },
  refused: { icon: <CircleX />, words: "The agent refused to do this" },
  max_tokens: { icon: <Scissors />, words: "The answer reached the model's length limit" },
};

const UNFINISHED = new Set<StopReason | null>(["cancelled", "interrupted", "error"]);

function TurnEnd({ turn, isLast }: { turn: Turn; isLast: boolean }) {
  const { onRunAgain } = useTranscript();
  const end = turn.stop_reason ? END_WORDS[turn.stop_reason] : undefined;
  const isShown = turn.items.some((item) => item.type === "error" && item.message === turn.error?.message);
  const failedTries = failedTriesOf(turn);
  const answer = turn.items.filter(
    (item) => item.type === "message" && !item.parent_tool_call_id && !failedTries.has(item),
  );
  const copyAnswer = () => answer.map((item) => (item.type === "message" ? item.text : "")).join("\n\n");
  return (
    <>
      {turn.error && !isShown && (
        <ErrorCard errorClass={turn.error.class} message={turn.error.message} retryAt={turn.error.retry_at} />
      )}
      <footer
        data-testid="turn-end"
        className="measure flex min-h-6 flex-wrap items-center gap-x-3 text-xs text-faint [&_svg]:size-3.5"
      >
        {end && (
          <span className="flex items-center gap-1 text-attention">
            {end.icon}
            {end.words}
          </span>
        )}
        {turn.ended_at && (
          <span>{duration(Math.max(0, Date.parse(turn.ended_at) - Date.parse(turn.started_at)))}</span>
        )}
        {turn.usage.calls > 0 && (
          <span
            title={`${turn.usage.cached.toLocaleString()} of the input cached, ${turn.usage.calls} model calls`}
          >
            {turn.usage.input.toLocaleString()} in · {turn.usage.output.toLocaleString()} out
          </span>
        )}
        {isLast && turn.prompt && UNFINISHED.has(turn.stop_reason) && (
          <Button size="small" look="quiet" onClick={() => onRunAgain(turn.prompt)} data-testid="run-again">
            <RotateCcw className="size-3" />
            Run again
          </Button>
        )}
        {isLast && turn.error?.retry_at && <GoOnLater at={turn.error.retry_at} />}
        {answer.length > 0 && <CopyButton text={copyAnswer} what="Answer" />}
      </footer>
    </>
  );
}
