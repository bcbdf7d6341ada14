// What the user asked: of a turn, or of a prompt that is on its way.
import { type ReactNode, useState } from "react";
import { Button } from "@/components/button";
import { CopyButton } from "@/components/copy-button";
import { RelativeTime } from "@/components/time";
import { cn } from "@/lib/cn";

const FOLD_AT = 1200;

interface PromptViewProps {
  text: string;
  by: string;
  at: string | null;
  /** How it stands, while it is no turn yet. */
  note?: ReactNode;
  actions?: ReactNode;
  isMuted?: boolean;
}

export function PromptView({ text, by, at, note, actions, isMuted = false }: PromptViewProps) {
  const [isOpen, setIsOpen] = useState(false);
  const isLong = text.length > FOLD_AT || text.split("\n").length > 14;
  return (
    <div
      data-testid="prompt"
      className="group/prompt measure rounded-lg border border-border bg-sunken px-3 py-2"
    >
      <div className="flex min-h-6 items-center gap-2 text-xs text-muted">
        <span className="font-semibold text-fg">{by || "You"}</span>
        {at && <RelativeTime at={at} />}
        {note}
        <span className="ml-auto flex items-center gap-1">
          {actions}
          <CopyButton
            text={text}
            what="Prompt"
            className="opacity-0 focus-visible:opacity-100 group-hover/prompt:opacity-100 max-md:opacity-100"
          />
        </span>
      </div>
      <p
        data-testid="prompt-text"
        className={cn(
          "whitespace-pre-wrap [overflow-wrap:anywhere]",
          isMuted && "text-muted",
          isLong && !isOpen && "line-clamp-[12]",
        )}
      >
        {text}
      </p>
      {isLong && (
        <Button look="quiet" size="small" className="mt-1" onClick={() => setIsOpen(!isOpen)}>
          {isOpen ? "Show less" : "Show all"}
        </Button>
      )}
    </div>
  );
}
