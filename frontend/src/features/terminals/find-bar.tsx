// Searching in what a terminal has shown.
import { ChevronDown, ChevronUp, X } from "lucide-react";
import { type KeyboardEvent, useEffect, useState } from "react";
import { IconButton } from "@/components/button";
import { isComposing } from "@/lib/shortcuts";
import type { LiveTerminal } from "./live-terminal";
import { searchColours } from "./xterm/theme";

export function FindBar({ live, onClose }: { live: LiveTerminal; onClose: () => void }) {
  const [term, setTerm] = useState("");
  const [found, setFound] = useState<{ resultIndex: number; resultCount: number } | null>(null);
  useEffect(() => {
    const listener = live.search.onDidChangeResults(setFound);
    return () => {
      listener.dispose();
      live.search.clearDecorations();
      // The match is selected, as if somebody had done that.
      live.xterm.clearSelection();
    };
  }, [live]);
  const options = (incremental: boolean) => ({ incremental, decorations: searchColours() });
  const close = () => {
    onClose();
    live.focus();
  };
  const closeOnEscape = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || isComposing(event)) return;
    event.preventDefault();
    event.stopPropagation();
    close();
  };
  const findOnEnter = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || isComposing(event)) return;
    event.preventDefault();
    if (event.shiftKey) live.search.findNext(term, options(false));
    else live.search.findPrevious(term, options(false));
  };
  const change = (next: string) => {
    setTerm(next);
    if (next) live.search.findPrevious(next, options(true));
    else live.search.clearDecorations();
  };
  return (
    <search
      onKeyDown={closeOnEscape}
      className="absolute top-1 right-4 z-(--z-sticky) flex max-w-[calc(100%-16px)] items-center gap-1 rounded-md border border-border bg-raised p-1 shadow-pop max-md:right-2"
    >
      <input
        aria-label="Find in the terminal"
        // biome-ignore lint/a11y/noAutofocus: the person has just asked to search
        autoFocus
        value={term}
        onChange={(event) => change(event.target.value)}
        onKeyDown={findOnEnter}
        className="h-6 w-40 min-w-0 rounded-sm bg-sunken px-2 text-xs max-md:h-11"
      />
      <span role="status" className="min-w-14 shrink-0 text-center text-2xs text-muted">
        {term && found && (found.resultCount ? `${found.resultIndex + 1} of ${found.resultCount}` : "none")}
      </span>
      <IconButton label="Previous match" small onClick={() => live.search.findPrevious(term, options(false))}>
        <ChevronUp className="size-3.5" />
      </IconButton>
      <IconButton label="Next match" small onClick={() => live.search.findNext(term, options(false))}>
        <ChevronDown className="size-3.5" />
      </IconButton>
      <IconButton label="Close the search" small onClick={close}>
        <X className="size-3.5" />
      </IconButton>
    </search>
  );
}
