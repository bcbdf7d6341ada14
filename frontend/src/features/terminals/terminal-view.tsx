// One terminal on the screen: its place, what is said over it, and the keys that a phone lacks.
import { Sparkles } from "lucide-react";
import { useCallback, useEffect, useRef } from "react";
import { useStore } from "zustand";
import { Button } from "@/components/button";
import { cn } from "@/lib/cn";
import { useLiveSession } from "@/lib/live/session-store";
import { useIsPhone } from "@/lib/media";
import { EndBar, NothingKept } from "./end-bar";
import { FindBar } from "./find-bar";
import { KeyBar } from "./key-bar";
import type { LiveTerminal } from "./live-terminal";
import { Questions } from "./questions";
import { useLiveTerminal } from "./registry";
import { Company, StateBar } from "./state-bar";
import { pasteInto, useTerminalKeys } from "./use-keys";
import { forAgent } from "./words";

interface TerminalViewProps {
  session: string;
  id: string;
  name: string;
  /** It has the focus, or would get it. */
  isCurrent: boolean;
  /** There are others beside it. */
  isShared: boolean;
  /** What it showed is kept, now that it is over. */
  isKept: boolean;
  isFinding: boolean;
  onFind: (isFinding: boolean) => void;
  /** Somebody works in this one now. */
  onEnter: () => void;
  /** By the key that leads out. */
  onLeave: () => void;
  onRemove: () => void;
  onNew: () => void;
  onSendToAgent: (text: string) => void;
}

export function TerminalView(props: TerminalViewProps) {
  const { session, id, name, isCurrent, isKept, onFind } = props;
  const live = useLiveTerminal(session, id);
  const isPhone = useIsPhone();
  const find = useCallback(() => onFind(true), [onFind]);
  useTerminalKeys(live, { leave: props.onLeave, find });
  useReconnectAfterSignIn(session, live);
  useEffect(() => {
    if (isKept) live?.lookAgain();
  }, [live, isKept]);
  return (
    <section
      aria-label={name}
      data-testid="terminal"
      data-terminal={id}
      data-current={isCurrent}
      className={cn(
        "relative flex min-h-0 min-w-0 flex-1 flex-col",
        props.isShared && (isCurrent ? "border-t-2 border-t-accent" : "border-t-2 border-t-border"),
      )}
      onFocus={isCurrent ? undefined : props.onEnter}
    >
      {live && (
        <>
          <Company live={live} />
          <div className="relative flex min-h-0 flex-1 flex-col">
            <Place live={live} name={name} isCurrent={isCurrent} />
            <NothingKept live={live} />
            <Over {...props} live={live} />
          </div>
          <EndBar live={live} onRemove={props.onRemove} onNew={props.onNew} />
          {isPhone && isCurrent && <Keys live={live} />}
        </>
      )}
    </section>
  );
}

/** Only for as long as somebody reads what they type. */
function Keys({ live }: { live: LiveTerminal }) {
  const isOver = useStore(live.store, ({ connection: { state } }) => state === "exited" || state === "ended");
  return isOver ? null : <KeyBar live={live} />;
}

/** Where xterm.js draws. */
function Place({ live, name, isCurrent }: { live: LiveTerminal; name: string; isCurrent: boolean }) {
  const place = useRef<HTMLDivElement>(null);
  const isPhone = useIsPhone();
  const state = useStore(live.store, ({ connection }) => connection.state);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const hide = live.show(element);
    const onPaste = (event: ClipboardEvent) => {
      event.preventDefault();
      event.stopPropagation();
      pasteInto(live, event.clipboardData?.getData("text/plain") ?? "");
    };
    element.addEventListener("paste", onPaste, true);
    return () => {
      element.removeEventListener("paste", onPaste, true);
      hide();
    };
  }, [live]);
  useEffect(() => {
    live.xterm.textarea?.setAttribute("aria-label", `${name}. Ctrl+Shift+\` leaves the terminal.`);
  }, [live, name]);
  useEffect(() => {
    // On a phone the focus would bring up the keyboard.
    if (isCurrent && !isPhone) live.focus();
  }, [live, isCurrent, isPhone]);
  return (
    <div ref={place} data-testid="terminal-screen" data-state={state} className="isolate min-h-0 flex-1" />
  );
}

function Over(props: TerminalViewProps & { live: LiveTerminal }) {
  const { live, isFinding, onFind, onSendToAgent } = props;
  const hasSelection = useStore(live.store, (state) => state.hasSelection);
  return (
    <>
      {isFinding && <FindBar live={live} onClose={() => onFind(false)} />}
      {/* Above: what is being written is below. */}
      <div className="absolute inset-x-2 top-1 flex flex-col gap-1">
        <Questions live={live} />
      </div>
      <div className="absolute inset-x-2 bottom-2 flex flex-col gap-1">
        {hasSelection && !isFinding && (
          <Button
            size="small"
            className="self-end shadow-pop"
            onClick={() => onSendToAgent(forAgent("From the terminal:", live.xterm.getSelection()))}
            data-testid="send-selection"
          >
            <Sparkles className="size-3" />
            Send to agent
          </Button>
        )}
        <StateBar live={live} />
      </div>
    </>
  );
}

/** The session's own socket shows that somebody has signed in again. */
function useReconnectAfterSignIn(session: string, live: LiveTerminal | null): void {
  const isLive = useLiveSession(session, ({ connection }) => connection.state === "live");
  useEffect(() => {
    if (!isLive || !live) return;
    const { connection } = live.store.getState();
    if (connection.state === "ended" && connection.reason === "signed_out") live.reconnect();
  }, [isLive, live]);
}
