// Completing `/commands` at the beginning of a prompt and `@files` anywhere in it.
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, type RefObject, useId, useState } from "react";
import { filesQuery } from "@/lib/api/files";

export interface Completion {
  /** What is put in. */
  value: string;
  label: string;
  /** A folder: choosing it goes on inside. */
  isOpen: boolean;
}

interface Token {
  kind: "command" | "file";
  start: number;
  end: number;
  query: string;
}

/** The command or file name that the caret stands in. */
export function tokenAt(text: string, caret: number): Token | null {
  const before = text.slice(0, caret);
  const command = /^\/([\w-]*)$/.exec(before);
  if (command) return { kind: "command", start: 0, end: caret, query: command[1] ?? "" };
  const file = /(?:^|\s)@([^\s@]*)$/.exec(before);
  if (!file) return null;
  const query = file[1] ?? "";
  return { kind: "file", start: caret - query.length - 1, end: caret, query };
}

interface Options {
  session: string;
  text: string;
  inputRef: RefObject<HTMLTextAreaElement | null>;
  commands: string[];
  canListFiles: boolean;
  onChange: (text: string) => void;
}

export function useCompletions({ session, text, inputRef, commands, canListFiles, onChange }: Options) {
  const listId = useId();
  const [caret, setCaret] = useState(0);
  const [active, setActive] = useState(0);
  const [dismissed, setDismissed] = useState("");
  const token = tokenAt(text, Math.min(caret, text.length));
  const key = token ? `${token.kind}:${token.start}:${token.query}` : "";
  const items = useItems({ session, token: key === dismissed ? null : token, commands, canListFiles });
  const index = Math.min(active, Math.max(0, items.length - 1));

  const choose = (item: Completion) => {
    if (!token) return;
    const sign = token.kind === "command" ? "/" : "@";
    const inserted = `${sign}${item.value}${item.isOpen ? "" : " "}`;
    onChange(text.slice(0, token.start) + inserted + text.slice(token.end));
    const position = token.start + inserted.length;
    setActive(0);
    setCaret(position);
    // The value is set by the next render; the caret can only go there after it.
    requestAnimationFrame(() => {
      inputRef.current?.focus();
      inputRef.current?.setSelectionRange(position, position);
    });
  };

  /** Whether the key was meant for the list. */
  const onKeyDown = (event: KeyboardEvent): boolean => {
    const item = items[index];
    if (!item) return false;
    if (event.key === "ArrowDown") setActive((index + 1) % items.length);
    else if (event.key === "ArrowUp") setActive((index - 1 + items.length) % items.length);
    else if (event.key === "Escape") setDismissed(key);
    else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey) choose(item);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };

  return {
    listId,
    items,
    index,
    choose,
    onKeyDown,
    onCaret: () => setCaret(inputRef.current?.selectionStart ?? 0),
    aria: {
      "aria-autocomplete": "list" as const,
      "aria-controls": items.length ? listId : undefined,
      "aria-activedescendant": items.length ? `${listId}-${index}` : undefined,
    },
  };
}

/** What programs make for themselves: rarely meant, so it comes last. */
const ASIDE = /^(\.|__pycache__$|node_modules$)/;

/** The entries of a folder that may be meant by `part` of a name, in lower case; the likely ones first. */
export function matching<T extends { name: string }>(entries: T[], part: string): T[] {
  return entries
    .filter((entry) => entry.name.toLowerCase().includes(part) && !/\s/.test(entry.name))
    .sort((one, other) => Number(ASIDE.test(one.name)) - Number(ASIDE.test(other.name)));
}

interface ItemOptions extends Pick<Options, "session" | "commands" | "canListFiles"> {
  token: Token | null;
}

const MOST = 8;

function useItems({ session, token, commands, canListFiles }: ItemOptions): Completion[] {
  const query = token?.kind === "file" ? token.query : "";
  const folder = query.slice(0, query.lastIndexOf("/") + 1);
  const files = useQuery({
    ...filesQuery(session, folder.replace(/\/$/, "")),
    enabled: token?.kind === "file" && canListFiles,
  });
  if (!token) return [];
  if (token.kind === "command") {
    return commands
      .filter((command) => command.startsWith(token.query))
      .slice(0, MOST)
      .map((command) => ({ value: command, label: `/${command}`, isOpen: false }));
  }
  const part = query.slice(folder.length).toLowerCase();
  return matching(files.data?.entries ?? [], part)
    .slice(0, MOST)
    .map((entry) => {
      const isOpen = entry.type === "dir";
      const value = `${folder}${entry.name}${isOpen ? "/" : ""}`;
      return { value, label: value, isOpen };
    });
}
