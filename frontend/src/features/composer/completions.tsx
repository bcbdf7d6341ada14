// The list of completions above the composer; the focus stays in the text.
import { cn } from "@/lib/cn";
import type { Completion } from "./use-completions";

interface CompletionsProps {
  listId: string;
  items: Completion[];
  index: number;
  choose: (item: Completion) => void;
}

export function Completions({ listId, items, index, choose }: CompletionsProps) {
  if (items.length === 0) return null;
  return (
    <div
      id={listId}
      role="listbox"
      aria-label="Completions"
      className="absolute inset-x-0 bottom-full z-(--z-popup) mb-1 overflow-hidden rounded-lg border border-border bg-raised p-1 shadow-pop"
    >
      {items.map((item, at) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the text field that controls this list
        // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the text field
        <div
          key={item.value}
          id={`${listId}-${at}`}
          role="option"
          aria-selected={at === index}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => choose(item)}
          className={cn(
            "cursor-pointer truncate rounded-md px-2 py-1 font-mono text-xs max-md:py-3",
            at === index && "bg-hover",
          )}
        >
          {item.label}
        </div>
      ))}
    </div>
  );
}
