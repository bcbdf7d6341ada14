// The terminals that are open in this browser, by session and id: kept while something shows them and a while after.
import { useEffect, useState } from "react";
import { LiveTerminal } from "./live-terminal";

/** So long a terminal that nothing shows stays connected: somebody looks at a file and comes back. */
const LINGER_MS = 60_000;

interface Entry {
  live: LiveTerminal;
  holders: number;
  closing: ReturnType<typeof setTimeout> | undefined;
}

const open = new Map<string, Entry>();

function entryOf(session: string, id: string): Entry {
  const name = `${session}/${id}`;
  const known = open.get(name);
  if (known) return known;
  const entry: Entry = { live: new LiveTerminal(session, id), holders: 0, closing: undefined };
  open.set(name, entry);
  return entry;
}

function hold(session: string, id: string): { live: LiveTerminal; release: () => void } {
  const entry = entryOf(session, id);
  clearTimeout(entry.closing);
  entry.holders += 1;
  const release = () => {
    entry.holders -= 1;
    if (entry.holders > 0) return;
    entry.closing = setTimeout(() => {
      open.delete(`${session}/${id}`);
      entry.live.dispose();
    }, LINGER_MS);
  };
  return { live: entry.live, release };
}

/** The terminal, held while the component is there; null for the moment before. */
export function useLiveTerminal(session: string, id: string | undefined): LiveTerminal | null {
  const [live, setLive] = useState<LiveTerminal | null>(null);
  useEffect(() => {
    if (id === undefined) {
      setLive(null);
      return;
    }
    const held = hold(session, id);
    setLive(held.live);
    return held.release;
  }, [session, id]);
  // For one render after a change it is still the one before.
  return live?.id === id ? live : null;
}

function nudgeAll(): void {
  if (document.visibilityState === "hidden") return;
  for (const { live } of open.values()) live.nudge();
}

window.addEventListener("online", nudgeAll);
document.addEventListener("visibilitychange", nudgeAll);
