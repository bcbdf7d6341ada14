// The keys that a terminal does not get, and pastes, connected to what they do.
import { useEffect } from "react";
import { toast } from "sonner";
import { copyText } from "@/lib/clipboard";
import type { LiveTerminal } from "./live-terminal";
import { terminalKeyOf } from "./xterm/keys";

interface Actions {
  leave: () => void;
  find: () => void;
}

export function useTerminalKeys(live: LiveTerminal | null, { leave, find }: Actions): void {
  useEffect(() => {
    if (!live) return;
    const { xterm, marks } = live;
    const actions = {
      leave,
      find,
      copy: () => copySelection(live),
      "previous-command": () => marks.jump(-1),
      "next-command": () => marks.jump(1),
    };
    xterm.attachCustomKeyEventHandler((event) => {
      const key = terminalKeyOf(event, xterm.hasSelection());
      if (!key) return true;
      // The app's own key goes on to the page.
      if (key === "app") return false;
      event.preventDefault();
      event.stopPropagation();
      actions[key]();
      return false;
    });
    return () => xterm.attachCustomKeyEventHandler(() => true);
  }, [live, leave, find]);
}

function copySelection({ xterm }: LiveTerminal): void {
  const text = xterm.getSelection();
  if (!text) return;
  void copyText(text, "Selection");
  xterm.clearSelection();
}

/** More than that is a file, not something that somebody pastes. */
const MAX_PASTE = 8 * 1024 * 1024;

export function pasteInto(live: LiveTerminal, text: string): void {
  const bytes = new Blob([text]).size;
  if (bytes > MAX_PASTE) {
    const size = Math.ceil(bytes / 1024 / 1024);
    toast.error(`That is ${size} MB; at most 8 MB can be pasted. Put it into a file of the workspace.`);
  } else live.paste(text);
}
