// A question that is over, in one line: what was asked, what was answered, by whom.
import { ChevronRight, CircleHelp, CircleSlash, ShieldCheck, ShieldX } from "lucide-react";
import { useState } from "react";
import { cn } from "@/lib/cn";
import { type Ask, outcomeOf, summaryOf } from "./ask";
import { AskDetails } from "./ask-details";

interface OutcomeProps {
  ask: Ask;
  me: string;
  /** Only how it ended: what it was about stands above. */
  isShort?: boolean;
}

export function Outcome({ ask, me, isShort = false }: OutcomeProps) {
  const [isOpen, setIsOpen] = useState(false);
  const isRejected = ask.choice === "reject" || ask.choice === "never";
  const isSuspicious = ask.by === "box";
  const Icon =
    ask.state === "lost"
      ? CircleSlash
      : ask.type === "question"
        ? CircleHelp
        : isRejected
          ? ShieldX
          : ShieldCheck;
  return (
    <article
      data-testid="permission-card"
      data-permission={ask.id}
      data-state={ask.state}
      data-choice={ask.choice}
      aria-label={`${summaryOf(ask)}: ${outcomeOf(ask, me)}`}
      className="measure text-sm"
    >
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setIsOpen(!isOpen)}
        className="flex min-h-7 w-full min-w-0 items-center gap-1.5 rounded-md px-1 text-left transition-ui hover:bg-hover max-md:min-h-11"
      >
        <ChevronRight
          aria-hidden
          className={cn("size-3.5 shrink-0 text-faint transition-ui", isOpen && "rotate-90")}
        />
        <Icon
          aria-hidden
          className={cn(
            "size-3.5 shrink-0 text-muted",
            isRejected && "text-bad",
            isSuspicious && "text-attention",
          )}
        />
        {!isShort && <span className="min-w-0 truncate font-mono text-xs">{summaryOf(ask)}</span>}
        <span
          data-testid="permission-outcome"
          className={cn(
            "min-w-0 truncate text-xs text-muted",
            !isShort && "ml-auto shrink-0 max-md:max-w-1/2 max-md:shrink",
            isSuspicious && "text-attention",
          )}
        >
          {outcomeOf(ask, me)}
        </span>
      </button>
      {ask.message && <p className="pl-6 text-muted [overflow-wrap:anywhere]">“{ask.message}”</p>}
      {ask.type === "question" && ask.answers.length > 0 && <Answers ask={ask} />}
      {isOpen && (
        <div className="ml-5 rounded-md border border-border">
          <AskDetails ask={ask} />
        </div>
      )}
    </article>
  );
}

function Answers({ ask }: { ask: Ask }) {
  return (
    <dl className="flex flex-col gap-1 pl-6">
      {ask.questions.map((question, index) => (
        <div key={index}>
          <dt className="text-xs text-muted">{question.question}</dt>
          <dd>{ask.answers[index]?.join(", ") || "no answer"}</dd>
        </div>
      ))}
    </dl>
  );
}
