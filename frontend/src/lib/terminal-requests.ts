// What other screens want of a session's terminals: be there, or run a command. The panel carries it out when it can.
import { create } from "zustand";
import { visible } from "./visible";

export type TerminalRequest =
  /** One to type in, a new one if there is none. */
  { kind: "open" } | { kind: "run"; command: string };

const useRequests = create<Record<string, TerminalRequest | undefined>>(() => ({}));

export function useTerminalRequest(session: string): TerminalRequest | undefined {
  return useRequests((requests) => requests[session]);
}

export function requestTerminal(session: string, request: TerminalRequest): void {
  useRequests.setState({ [session]: request });
}

export function forgetTerminalRequest(session: string): void {
  useRequests.setState({ [session]: undefined });
}

/** A command whose characters are not all to be seen is not run with one click. */
export function isPlain(command: string): boolean {
  return visible(command) === command;
}
