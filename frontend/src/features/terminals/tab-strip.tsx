// The tabs of the terminals: chosen by click or address, renamed by double click, moved by dragging.
import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import { type DragEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { cn } from "@/lib/cn";
import { isComposing } from "@/lib/shortcuts";

export interface Tab {
  /** The terminal that the tab leads to. */
  id: string;
  name: string;
  isCurrent: boolean;
  isClosed: boolean;
  panes: number;
}

interface TabStripProps {
  session: string;
  tabs: Tab[];
  /** The one whose name is being written. */
  renaming: string | null;
  onRenaming: (id: string | null) => void;
  onRename: (id: string, title: string) => void;
  onMove: (from: number, to: number) => void;
  onRemove: (id: string) => void;
}

export function TabStrip(props: TabStripProps) {
  const { tabs, renaming, onRenaming, onMove } = props;
  const [dragged, setDragged] = useState<number | null>(null);
  const drop = (to: number) => {
    if (dragged !== null) onMove(dragged, to);
    setDragged(null);
  };
  return (
    <nav aria-label="Terminals" className="flex min-w-0 flex-1 items-center gap-0.5 overflow-x-auto">
      {tabs.map((tab, index) =>
        renaming === tab.id ? (
          <NameField
            key={tab.id}
            name={tab.name}
            onDone={(title) => {
              onRenaming(null);
              if (title !== null && title !== tab.name) props.onRename(tab.id, title);
            }}
          />
        ) : (
          <TabItem
            key={tab.id}
            {...props}
            tab={tab}
            isDragged={dragged === index}
            onDrag={() => setDragged(index)}
            onDrop={() => drop(index)}
          />
        ),
      )}
    </nav>
  );
}

interface TabItemProps extends TabStripProps {
  tab: Tab;
  isDragged: boolean;
  onDrag: () => void;
  onDrop: () => void;
}

function TabItem({ session, tab, isDragged, onDrag, onDrop, onRenaming, onRemove }: TabItemProps) {
  const allow = (event: DragEvent) => event.preventDefault();
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    // There may be more tabs than there is room for.
    if (tab.isCurrent) place.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [tab.isCurrent]);
  return (
    <span
      ref={place}
      className={cn(
        "group/tab flex h-7 shrink-0 items-center rounded-md text-xs text-muted transition-ui hover:bg-hover max-md:h-11",
        tab.isCurrent && "bg-active text-fg",
        isDragged && "opacity-50",
      )}
    >
      <Link
        to="/sessions/$sessionId"
        params={{ sessionId: session }}
        search={{ panel: "terminal", terminal: tab.id }}
        aria-current={tab.isCurrent ? "page" : undefined}
        draggable
        onDragStart={onDrag}
        onDragOver={allow}
        onDrop={onDrop}
        onDoubleClick={() => onRenaming(tab.id)}
        title={tab.name}
        data-testid="terminal-tab"
        data-terminal={tab.id}
        className="flex h-full items-center gap-1 rounded-md pl-2 max-md:px-3"
      >
        <span className={cn("max-w-36 truncate", tab.isClosed && "line-through")}>{tab.name}</span>
        {tab.panes > 1 && <span className="text-2xs text-faint">+{tab.panes - 1}</span>}
        {tab.isClosed && <span className="sr-only">(closed)</span>}
      </Link>
      <button
        type="button"
        aria-label={`Close ${tab.name}`}
        onClick={() => onRemove(tab.id)}
        className="mx-0.5 grid size-6 place-items-center rounded-sm text-faint hover:bg-hover hover:text-fg max-md:hidden"
      >
        <X aria-hidden className="size-3" />
      </button>
    </span>
  );
}

function NameField({ name, onDone }: { name: string; onDone: (title: string | null) => void }) {
  const [title, setTitle] = useState(name);
  const onKeyDown = (event: KeyboardEvent) => {
    if (isComposing(event)) return;
    if (event.key === "Enter") onDone(title.trim());
    if (event.key !== "Escape") return;
    event.stopPropagation();
    event.preventDefault();
    onDone(null);
  };
  return (
    <input
      aria-label="Name of the terminal"
      // biome-ignore lint/a11y/noAutofocus: the person has just asked to edit it
      autoFocus
      value={title}
      maxLength={80}
      onChange={(event) => setTitle(event.target.value)}
      onKeyDown={onKeyDown}
      onBlur={() => onDone(title.trim())}
      onFocus={(event) => event.target.select()}
      className="h-7 w-36 rounded-md border border-border-strong bg-raised px-2 text-xs max-md:h-11"
    />
  );
}
