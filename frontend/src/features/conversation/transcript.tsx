// The whole conversation: turns and what happened between them, following the end while somebody is there.
import { ArrowDown } from "lucide-react";
import { type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { Button } from "@/components/button";
import type { Conversation, Notice, PermissionItem, Turn } from "@/protocol/conversation";
import { TranscriptProvider } from "./context";
import { NoticeLine } from "./notice-line";
import { TurnView } from "./turn-view";
import { useStickToBottom } from "./use-stick-to-bottom";

const FIRST_TURNS = 30;
const MORE_TURNS = 30;

interface TranscriptProps {
  session: string;
  conversation: Conversation;
  /** How many prompts were sent from here: whoever sends one looks at the end again. */
  sent: number;
  renderPermission: (item: PermissionItem, isBesideCall: boolean) => ReactNode;
  onRunAgain: (prompt: string) => void;
  onRunInTerminal: (command: string) => void;
  renderOutput: (output: string, omitted: number) => ReactNode;
  /** What follows the last turn: prompts on their way, the box that starts. */
  children: ReactNode;
}

export function Transcript({
  session,
  conversation,
  sent,
  renderPermission,
  onRunAgain,
  onRunInTerminal,
  renderOutput,
  children,
}: TranscriptProps) {
  const { scroller, content, isAtBottom, toBottom } = useStickToBottom(`${session}.${sent}`);
  const [shown, setShown] = useState(FIRST_TURNS);
  const context = useMemo(
    () => ({ session, renderPermission, onRunAgain, onRunInTerminal, renderOutput }),
    [session, renderPermission, onRunAgain, onRunInTerminal, renderOutput],
  );
  const hidden = Math.max(0, conversation.turns.length - shown);
  const turns = conversation.turns.slice(hidden);
  const fresh = useNewItems(conversation, isAtBottom);
  const showEarlier = useKeptPosition(scroller, () => setShown(shown + MORE_TURNS));
  return (
    <TranscriptProvider value={context}>
      <div className="relative min-h-0 flex-1">
        <div
          ref={scroller}
          role="log"
          aria-live="off"
          aria-label="Conversation"
          data-testid="transcript"
          data-scroller
          data-last-seq={conversation.last_seq}
          data-gen={conversation.gen}
          tabIndex={0}
          className="absolute inset-0 overflow-y-auto overflow-x-hidden overscroll-contain"
        >
          <div ref={content} className="mx-auto flex w-full max-w-180 flex-col gap-5 px-4 py-5 max-md:px-3">
            {hidden > 0 && <EarlierTurns count={hidden} onShow={showEarlier} scroller={scroller} />}
            {hidden === 0 && conversation.omitted_before && (
              <p data-testid="omitted" className="text-center text-xs text-faint">
                This conversation is too long to be shown as a whole: what came before is left out.
              </p>
            )}
            <Entries turns={turns} notices={conversation.notices} isWhole={hidden === 0} />
            {children}
          </div>
        </div>
      </div>
      {!isAtBottom && (
        // A row of its own: over the text it would hide some of it.
        <div className="flex shrink-0 justify-center border-border border-t py-1">
          <Button size="small" onClick={toBottom} data-testid="jump-to-latest">
            <ArrowDown className="size-3.5" />
            Jump to latest{fresh > 0 && ` (${fresh} new)`}
          </Button>
        </div>
      )}
    </TranscriptProvider>
  );
}

/** Turns in order, each followed by what happened after it began and before the next one did. */
function Entries({ turns, notices, isWhole }: { turns: Turn[]; notices: Notice[]; isWhole: boolean }) {
  const between = (from: number, to: number) => notices.filter(({ seq }) => seq >= from && seq < to);
  const first = turns[0]?.seq ?? Number.POSITIVE_INFINITY;
  return (
    <>
      {isWhole && <Notices notices={between(0, first)} />}
      {turns.map((turn, index) => (
        <div key={turn.id} className="flex flex-col gap-5">
          <TurnView turn={turn} isLast={index === turns.length - 1} />
          <Notices notices={between(turn.seq, turns[index + 1]?.seq ?? Number.POSITIVE_INFINITY)} />
        </div>
      ))}
    </>
  );
}

function Notices({ notices }: { notices: Notice[] }) {
  return notices.map((notice, index) => (
    <NoticeLine key={notice.seq} notice={notice} isPast={index < notices.length - 1} />
  ));
}

/** Shows more as soon as it comes into view; the button is for whoever gets there otherwise. */
function EarlierTurns({
  count,
  onShow,
  scroller,
}: {
  count: number;
  onShow: () => void;
  scroller: React.RefObject<HTMLDivElement | null>;
}) {
  const ref = useRef<HTMLDivElement>(null);
  const latest = useRef(onShow);
  useEffect(() => {
    latest.current = onShow;
  });
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && latest.current(), {
      root: scroller.current,
      rootMargin: "200px",
    });
    if (ref.current) observer.observe(ref.current);
    return () => observer.disconnect();
  }, [scroller]);
  return (
    <div ref={ref} className="flex justify-center">
      <Button look="quiet" size="small" onClick={onShow}>
        Show earlier turns ({count})
      </Button>
    </div>
  );
}

/** Runs `grow` so that what the reader looks at stays where it is, although something appears above it. */
function useKeptPosition(scroller: React.RefObject<HTMLDivElement | null>, grow: () => void): () => void {
  const before = useRef<number | null>(null);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element && before.current !== null) element.scrollTop += element.scrollHeight - before.current;
    before.current = null;
  });
  return () => {
    before.current = scroller.current?.scrollHeight ?? null;
    grow();
  };
}

/** How many items came since the reader left the end. */
function useNewItems(conversation: Conversation, isAtBottom: boolean): number {
  const count = conversation.turns.reduce((sum, turn) => sum + 1 + turn.items.length, 0);
  const [seen, setSeen] = useState(count);
  if (isAtBottom && seen !== count) setSeen(count);
  return Math.max(0, count - seen);
}
