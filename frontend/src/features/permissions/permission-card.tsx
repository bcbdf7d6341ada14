// One card for everything that an agent must ask: exactly what it wants, and the answers. No answer is the default.
import { CircleHelp, Globe, ShieldQuestion } from "lucide-react";
import { type KeyboardEvent, type RefObject, useId, useLayoutEffect, useRef, useState } from "react";
import { Button } from "@/components/button";
import { TextArea } from "@/components/form";
import { Keys } from "@/components/keys";
import type { PermissionAnswer } from "@/lib/api/types";
import { giveFocusHome } from "@/lib/composer-place";
import { usePreferences } from "@/lib/preferences";
import { isTyping } from "@/lib/shortcuts";
import { type Ask, askerOf, headingOf } from "./ask";
import { AskDetails } from "./ask-details";
import { EgressChoices } from "./egress-choices";
import { useOnScreenReport } from "./on-screen";
import { Outcome } from "./outcome";
import { QuestionForm } from "./question-form";
import { useAnswer } from "./use-answer";

interface PermissionCardProps {
  ask: Ask;
  agent: string;
  /** The name of whoever looks. */
  me: string;
  /** The card stands elsewhere too; only one of them can be the one that is jumped to. */
  isCopy?: boolean;
  /** What was asked for stands right above it; when it is over, that need not be said again. */
  isBesideCall?: boolean;
}

export function PermissionCard(props: PermissionCardProps) {
  const { ask, agent, me, isCopy = false, isBesideCall = false } = props;
  if (ask.state !== "pending") return <Outcome ask={ask} me={me} isShort={isBesideCall} />;
  return isCopy ? <PendingCard ask={ask} agent={agent} /> : <CardInPlace ask={ask} agent={agent} />;
}

/** The one card of its question that can be jumped to, and that says whether it is in sight. */
function CardInPlace({ ask, agent }: { ask: Ask; agent: string }) {
  const ref = useRef<HTMLElement>(null);
  useOnScreenReport(ask.id, ref);
  return <PendingCard ask={ask} agent={agent} place={ref} />;
}

interface PendingCardProps {
  ask: Ask;
  agent: string;
  place?: RefObject<HTMLElement | null>;
}

function PendingCard({ ask, agent, place }: PendingCardProps) {
  const own = useRef<HTMLElement>(null);
  const card = place ?? own;
  const keepFocus = useFocusOf(card);
  const answer = useAnswer(ask.id);
  const [isRejecting, setIsRejecting] = useState(false);
  const singleKeys = usePreferences((preferences) => preferences.singleKeys);
  const headingId = useId();
  const isBusy = answer.isPending || answer.isSuccess;
  const give = (body: PermissionAnswer) => {
    if (isBusy) return;
    keepFocus();
    answer.mutate(body);
  };
  const isQuestion = ask.type === "question";
  const isEgress = ask.type === "egress";
  const onKeyDown = (event: KeyboardEvent) => {
    if (!singleKeys || isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key === "y" && !isQuestion) give({ choice: "once" });
    else if (key === "n" && isEgress) give({ choice: "reject" });
    else if (key === "n" && !isQuestion) setIsRejecting(true);
    else return;
    event.preventDefault();
  };
  const Icon = isQuestion ? CircleHelp : isEgress ? Globe : ShieldQuestion;
  return (
    <article
      ref={card}
      id={place && `permission-${ask.id}`}
      tabIndex={-1}
      aria-labelledby={headingId}
      data-testid="permission-card"
      data-permission={ask.id}
      data-state="pending"
      onKeyDown={onKeyDown}
      className="group/card measure overflow-hidden rounded-lg border border-attention-border bg-raised"
    >
      <header className="flex items-center gap-2 bg-attention-soft px-3 py-1.5 text-sm">
        <Icon aria-hidden className="size-4 shrink-0 text-attention" />
        <h2 id={headingId} className="min-w-0 flex-1 font-medium">
          {askerOf(ask, agent)} {headingOf(ask)}
        </h2>
        {singleKeys && !isQuestion && !isRejecting && (
          // Elsewhere these keys are letters, or nothing: one that is pressed by mistake must not allow anything.
          <span
            data-testid="permission-keys"
            className="hidden items-center gap-1 text-2xs text-muted group-focus-within/card:flex max-md:hidden!"
          >
            <Keys keys={["Y"]} /> once <Keys keys={["N"]} /> {isEgress ? "not now" : "reject"}
          </span>
        )}
      </header>
      {isQuestion ? (
        <QuestionForm
          ask={ask}
          isBusy={isBusy}
          onAnswer={(answers) => give({ choice: "once", answers })}
          onRefuse={(message) => give({ choice: "reject", ...(message && { message }) })}
        />
      ) : (
        <>
          <AskDetails ask={ask} />
          {isEgress ? (
            <EgressChoices isBusy={isBusy} onChoose={(choice) => give({ choice })} />
          ) : isRejecting ? (
            <Rejection
              isBusy={isBusy}
              onReject={(message) => give({ choice: "reject", ...(message && { message }) })}
              onBack={() => {
                keepFocus();
                setIsRejecting(false);
              }}
            />
          ) : (
            <Choices
              ask={ask}
              isBusy={isBusy}
              onReject={() => setIsRejecting(true)}
              onAllow={(choice) => give({ choice })}
            />
          )}
        </>
      )}
    </article>
  );
}

/**
 * Keeps the focus in the card while its buttons come and go, and gives it back when the card does: never to the next
 * card, where a key that is pressed twice would answer what nobody has read.
 */
function useFocusOf(card: RefObject<HTMLElement | null>): () => void {
  useLayoutEffect(() => {
    const element = card.current;
    return () => {
      if (element?.contains(document.activeElement)) queueMicrotask(giveFocusHome);
    };
  }, [card]);
  return () => {
    if (card.current?.contains(document.activeElement)) card.current.focus({ preventScroll: true });
  };
}

interface ChoicesProps {
  ask: Ask;
  isBusy: boolean;
  onReject: () => void;
  onAllow: (choice: "once" | "session") => void;
}

function Choices({ ask, isBusy, onReject, onAllow }: ChoicesProps) {
  return (
    <div className="border-border border-t px-3 py-2">
      <div className="flex flex-wrap items-center justify-end gap-2">
        <Button
          look="danger"
          disabled={isBusy}
          onClick={onReject}
          data-testid="permission-reject"
          className="mr-auto"
        >
          Reject…
        </Button>
        <Button disabled={isBusy} onClick={() => onAllow("session")} data-testid="permission-session">
          For this session
        </Button>
        <Button
          look="primary"
          disabled={isBusy}
          onClick={() => onAllow("once")}
          data-testid="permission-once"
        >
          {isBusy ? "Sending…" : "Once"}
        </Button>
      </div>
      {ask.rule && (
        <p className="mt-1.5 text-right text-xs text-muted">
          “For this session” allows: <code className="[overflow-wrap:anywhere]">{ask.rule}</code>
        </p>
      )}
    </div>
  );
}

interface RejectionProps {
  isBusy: boolean;
  onReject: (message: string) => void;
  onBack: () => void;
}

function Rejection({ isBusy, onReject, onBack }: RejectionProps) {
  const [message, setMessage] = useState("");
  return (
    <form
      className="flex flex-col gap-2 border-border border-t px-3 py-2"
      onSubmit={(event) => {
        event.preventDefault();
        onReject(message.trim());
      }}
    >
      <TextArea
        aria-label="What to do instead"
        placeholder="What to do instead (optional)"
        rows={2}
        autoFocus
        value={message}
        onChange={(event) => setMessage(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") {
            event.stopPropagation();
            onBack();
          }
        }}
        data-testid="permission-message"
      />
      <div className="flex justify-end gap-2">
        <Button onClick={onBack}>Back</Button>
        <Button look="danger" type="submit" disabled={isBusy} data-testid="permission-reject-confirm">
          {message.trim() ? "Reject with this message" : "Reject"}
        </Button>
      </div>
    </form>
  );
}

/** Goes to a card and gives it the focus, so that its keys work. */
export function showCard(id: string): void {
  const card = document.getElementById(`permission-${id}`);
  card?.scrollIntoView({ block: "center" });
  card?.focus({ preventScroll: true });
}
