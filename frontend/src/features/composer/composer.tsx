// Where prompts are written: Enter sends (not on a screen's own keyboard), drafts are kept, the mode and the model stand beside it.
import { ArrowUp, Square } from "lucide-react";
import { type KeyboardEvent, type RefObject, useLayoutEffect, useRef } from "react";
import { Button } from "@/components/button";
import { Tooltip } from "@/components/tooltip";
import type { Mode } from "@/lib/api/types";
import { showComposer } from "@/lib/composer-place";
import { saveDraft, useDraft } from "@/lib/drafts";
import { useIsTouch } from "@/lib/media";
import { nextMode } from "@/lib/modes";
import { usePreferences } from "@/lib/preferences";
import { isComposing, keysOf } from "@/lib/shortcuts";
import { Completions } from "./completions";
import { useCompletions } from "./use-completions";
import { useHistory } from "./use-history";

interface ComposerProps {
  session: string;
  placeholder: string;
  isRunning: boolean;
  /** A stop was asked for and is not confirmed yet. */
  isStopping: boolean;
  mode: Mode;
  /** Earlier prompts, newest last. */
  history: string[];
  /** Slash commands that the agent offers. */
  commands: string[];
  /** Whether files can be looked up. */
  canListFiles: boolean;
  inputRef: RefObject<HTMLTextAreaElement | null>;
  /** Mode and model. */
  controls: React.ReactNode;
  onSend: (text: string) => void;
  onStop: () => void;
  onMode: (mode: Mode) => void;
}

export function Composer(props: ComposerProps) {
  const { session, placeholder, isRunning, isStopping, mode, commands, canListFiles, inputRef, controls } =
    props;
  const text = useDraft(session);
  const isTouch = useIsTouch();
  const shiftTabMode = usePreferences((preferences) => preferences.shiftTabMode);
  const history = useHistory(props.history);
  const setText = (next: string) => {
    saveDraft(session, next);
    history.reset();
  };
  const completions = useCompletions({ session, text, inputRef, commands, canListFiles, onChange: setText });
  useGrowing(inputRef, text);
  useLayoutEffect(() => (inputRef.current ? showComposer(inputRef.current) : undefined), [inputRef]);

  const send = () => {
    if (!text.trim()) return;
    props.onSend(text);
    setText("");
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (isComposing(event)) return;
    if (completions.onKeyDown(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !isTouch) {
      event.preventDefault();
      send();
    } else if (event.key === "Tab" && event.shiftKey && shiftTabMode) {
      event.preventDefault();
      props.onMode(nextMode(mode));
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const recalled = history.step(event.key === "ArrowUp" ? 1 : -1, text);
      if (recalled === null) return;
      event.preventDefault();
      saveDraft(session, recalled);
    }
  };

  return (
    <div className="relative rounded-lg border border-border-strong/60 bg-raised transition-ui focus-within:border-accent">
      <Completions {...completions} />
      <textarea
        ref={inputRef}
        data-testid="composer"
        aria-label="Message to the agent"
        placeholder={placeholder}
        rows={1}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onSelect={completions.onCaret}
        onKeyDown={onKeyDown}
        {...completions.aria}
        className="block max-h-[40dvh] min-h-10 w-full max-md:min-h-11 resize-none overflow-y-auto bg-transparent px-3 pt-2.5 pb-1 text-base leading-snug outline-none"
      />
      <div className="flex items-center gap-1 px-1.5 pb-1.5">
        {controls}
        <span className="ml-auto flex items-center gap-1">
          {isRunning && (
            <Tooltip label="Stop the run" keys={keysOf("interrupt")}>
              <Button size="small" onClick={props.onStop} disabled={isStopping} data-testid="stop">
                <Square className="size-3 fill-current" />
                {isStopping ? "Stopping…" : "Stop"}
              </Button>
            </Tooltip>
          )}
          <Tooltip label={isRunning ? "Queue this prompt" : "Send"} keys={keysOf("send")}>
            <Button
              look="primary"
              size="smallIcon"
              aria-label={isRunning ? "Queue prompt" : "Send prompt"}
              disabled={!text.trim()}
              onClick={send}
              data-testid="send"
            >
              <ArrowUp className="size-4" />
            </Button>
          </Tooltip>
        </span>
      </div>
    </div>
  );
}

/** As high as its text, up to the limit that the style sets. */
function useGrowing(ref: RefObject<HTMLTextAreaElement | null>, text: string): void {
  const last = useRef("");
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element || (last.current === text && text !== "")) return;
    last.current = text;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [ref, text]);
}
