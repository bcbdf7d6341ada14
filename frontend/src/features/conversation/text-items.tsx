// What the agent says, and what it thinks before it says it.
import { ChevronRight, Unplug } from "lucide-react";
import { memo, useState } from "react";
import { Markdown } from "@/components/markdown";
import { Elapsed } from "@/components/time";
import { cn } from "@/lib/cn";
import { useIsOutdated, useLiveSession } from "@/lib/live/session-store";
import { duration, took } from "@/lib/time";
import type { TextItem } from "@/protocol/conversation";
import { useTranscript } from "./context";
import { useExactText } from "./use-exact-text";

interface TextProps {
  item: TextItem;
  isTurnRunning: boolean;
}

interface MessageProps extends TextProps {
  /** It is not the answer: it broke off, and what follows begins anew. */
  isFailedTry: boolean;
}

export const Message = memo(function Message({ item, isTurnRunning, isFailedTry }: MessageProps) {
  const ref = useExactText<HTMLDivElement>(item.text);
  return (
    <div
      ref={ref}
      data-part={item.part_id}
      data-part-type="message"
      data-done={item.done}
      data-broken={isFailedTry || undefined}
      className={cn("measure", isFailedTry && "border-border-strong border-l-2 pl-3 text-faint")}
    >
      {isFailedTry && (
        <p className="flex items-center gap-1.5 text-xs text-attention">
          <Unplug aria-hidden className="size-3.5" />
          Broken off by the provider; not part of the answer
        </p>
      )}
      <Markdown text={item.text} isStreaming={!item.done && isTurnRunning} />
    </div>
  );
});

export const Thought = memo(function Thought({ item, isTurnRunning }: TextProps) {
  const ref = useExactText<HTMLDivElement>(item.text);
  const [isOpen, setIsOpen] = useState(false);
  const isThinking = !item.done && isTurnRunning;
  return (
    <div
      ref={ref}
      data-part={item.part_id}
      data-part-type="thought"
      data-done={item.done}
      className="measure"
    >
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setIsOpen(!isOpen)}
        className="ml-px flex h-7 items-center gap-1.5 rounded-md px-1 text-sm text-muted transition-ui hover:bg-hover hover:text-fg max-md:h-11"
      >
        <ChevronRight aria-hidden className={cn("size-3.5 transition-ui", isOpen && "rotate-90")} />
        <ThoughtTime item={item} isThinking={isThinking} />
      </button>
      {isOpen && (
        <div className="mt-1 ml-1.5 border-border border-l-2 pl-3 text-sm text-muted">
          <Markdown text={item.text} isStreaming={isThinking} />
        </div>
      )}
    </div>
  );
});

function ThoughtTime({ item, isThinking }: { item: TextItem; isThinking: boolean }) {
  const { session } = useTranscript();
  const isOutdated = useIsOutdated(session);
  const times = useLiveSession(session, (live) => live.notes.thoughts.get(item.part_id));
  if (isThinking)
    return (
      <>
        thinking
        {times && (
          <>
            {" "}
            <Elapsed since={times.firstAt} isCounting={!isOutdated} />
          </>
        )}
      </>
    );
  const time = took(item);
  return time === null ? <>thought</> : <>thought for {duration(Math.max(100, time))}</>;
}
