// Opening, naming, arranging and removing terminals, with words when it does not work.
import { useState } from "react";
import { toast } from "sonner";
import { messageOf } from "@/lib/api/errors";
import { openTerminal, removeTerminal, renameTerminal } from "@/lib/api/terminals";
import { newId } from "@/lib/id";
import { type Layout, moved, separated, splitBeside } from "./layout";

/** Until the place of the terminal has been measured. */
const FIRST_SIZE = { rows: 24, cols: 80 };

interface Options {
  session: string;
  current: string | undefined;
  setLayout: (change: (layout: Layout) => Layout) => void;
  onChoose: (id: string) => void;
}

export function useTerminalActions({ session, current, setLayout, onChoose }: Options) {
  const [isOpening, setIsOpening] = useState(false);
  const make = async (what: { agent?: boolean } = {}) => {
    setIsOpening(true);
    try {
      return await openTerminal(session, { id: newId(), ...FIRST_SIZE, ...what });
    } catch (error) {
      toast.error(messageOf(error));
      return null;
    } finally {
      setIsOpening(false);
    }
  };
  return {
    isOpening,
    open: async () => {
      const made = await make();
      if (made) onChoose(made.id);
      return made?.id ?? null;
    },
    openAgent: async () => {
      const made = await make({ agent: true });
      if (made) onChoose(made.id);
    },
    split: async () => {
      const made = await make();
      if (!made) return;
      if (current) setLayout((layout) => splitBeside(layout, current, made.id));
      onChoose(made.id);
    },
    separate: () => {
      if (current) setLayout((layout) => separated(layout, current));
    },
    move: (from: number, to: number) => setLayout((layout) => moved(layout, from, to)),
    rename: (id: string, title: string) => {
      renameTerminal(session, id, title).catch((error: unknown) => toast.error(messageOf(error)));
    },
    remove: (id: string) => removeTerminal(session, id),
  };
}
