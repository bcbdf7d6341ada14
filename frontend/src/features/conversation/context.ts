// What the parts of a transcript need from the page around them.
import { createContext, type ReactNode, useContext } from "react";
import type { PermissionItem } from "@/protocol/conversation";

interface TranscriptContext {
  session: string;
  /** Cards for permissions come from elsewhere. */
  renderPermission: (item: PermissionItem, isBesideCall: boolean) => ReactNode;
  /** Sends a prompt once more, as a new one. */
  onRunAgain: (prompt: string) => void;
  /** Runs a command of the agent's in a terminal. Only a click may call it. */
  onRunInTerminal: (command: string) => void;
  /** What a command prints, as a terminal shows it. */
  renderOutput: (output: string, omitted: number) => ReactNode;
}

const Context = createContext<TranscriptContext | null>(null);

export const TranscriptProvider = Context.Provider;

export function useTranscript(): TranscriptContext {
  const value = useContext(Context);
  if (!value) throw new Error("used outside of a transcript");
  return value;
}
