// Carries out what other screens asked of the terminals: one is opened, or a command is run where a shell waits for it.
import { useEffect, useState } from "react";
import type { Terminal } from "@/lib/api/types";
import { forgetTerminalRequest, useTerminalRequest } from "@/lib/terminal-requests";
import type { LiveTerminal } from "./live-terminal";

interface Options {
  session: string;
  terminals: Terminal[];
  /** The one that is shown. */
  live: LiveTerminal | null;
  open: () => Promise<string | null>;
}

export function useCarriedOut({ session, terminals, live, open }: Options): void {
  const request = useTerminalRequest(session);
  /** The terminal that was opened for the request that waits; empty while it is being opened. */
  const [opened, setOpened] = useState<string | null>(null);
  const usable = terminals.filter(({ state }) => state !== "closed").map(({ id }) => id);
  const isUsable = live !== null && usable.includes(live.id);
  const isFree = isUsable && (opened === live.id || canRun(live));
  const needsNew = request?.kind === "run" ? !isFree : usable.length === 0;
  useEffect(() => {
    if (!request) return;
    if (needsNew) {
      if (opened !== null) return;
      setOpened("");
      void open().then((id) => {
        setOpened(id);
        if (id === null) forgetTerminalRequest(session);
      });
      return;
    }
    if (request.kind === "run" && live) {
      live.paste(request.command);
      live.type("\r");
    }
    live?.focus();
    setOpened(null);
    forgetTerminalRequest(session);
  }, [request, needsNew, live, open, opened, session]);
}

/** Whether what is typed now gets to a shell, as far as anybody can tell. */
function canRun({ xterm, marks }: LiveTerminal): boolean {
  return xterm.buffer.active.type === "normal" && marks.isAtPrompt !== false;
}
