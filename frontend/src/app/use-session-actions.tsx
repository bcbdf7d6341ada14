// What the palette offers for the session that is shown: its views, its run, its mode, and its rest.
import { useNavigate } from "@tanstack/react-router";
import {
  Archive,
  FileDiff,
  Files,
  Globe,
  Link,
  Moon,
  Play,
  Shield,
  Square,
  SquareTerminal,
} from "lucide-react";
import { toast } from "sonner";
import type { PaletteAction } from "@/features/palette/palette";
import { useSessionChange } from "@/features/sessions/session-actions";
import { changeSession, interruptTurn, startSession, stopSession } from "@/lib/api/sessions";
import type { Session } from "@/lib/api/types";
import { copyText } from "@/lib/clipboard";
import { MODES } from "@/lib/modes";
import { setPreference } from "@/lib/preferences";
import { requestTerminal } from "@/lib/terminal-requests";
import type { PanelTab } from "./session-search";

export function useSessionActions(session: Session | undefined): PaletteAction[] {
  const views = useViews(session?.id ?? "");
  const change = useSessionChange();
  return session ? [...views, ...changesOf(session, (make) => void change(make))] : [];
}

function useViews(id: string): PaletteAction[] {
  const navigate = useNavigate();
  const show = (panel: PanelTab) => {
    setPreference({ isPanelShown: true });
    void navigate({ to: "/sessions/$sessionId", params: { sessionId: id }, search: { panel } });
  };
  const type = () => {
    requestTerminal(id, { kind: "open" });
    show("terminal");
  };
  return [
    { id: "changes", label: "Show the changes", icon: <FileDiff />, run: () => show("changes") },
    { id: "files", label: "Show the files", icon: <Files />, run: () => show("files") },
    {
      id: "terminal",
      label: "Show the terminal",
      icon: <SquareTerminal />,
      shortcut: "terminal",
      run: type,
    },
    { id: "network", label: "Show the network", icon: <Globe />, run: () => show("network") },
  ];
}

function changesOf(session: Session, change: (make: () => Promise<unknown>) => void): PaletteAction[] {
  const { id, turn, archived } = session;
  return [
    turn
      ? {
          id: "stop",
          label: "Stop the run",
          icon: <Square />,
          shortcut: "interrupt",
          run: () => change(() => interruptTurn(id, turn)),
        }
      : ["ready", "starting"].includes(session.status)
        ? { id: "sleep", label: "Put to sleep", icon: <Moon />, run: () => change(() => stopSession(id)) }
        : { id: "wake", label: "Start the box", icon: <Play />, run: () => change(() => startSession(id)) },
    ...MODES.filter((mode) => mode.id !== session.mode).map((mode) => ({
      id: `mode-${mode.id}`,
      label: `Mode: ${mode.label}`,
      icon: <Shield />,
      run: () => change(() => changeSession(id, { mode: mode.id })),
    })),
    {
      id: "archive",
      label: archived ? "Take out of the archive" : "Archive",
      icon: <Archive />,
      run: () => change(() => changeSession(id, { archived: !archived })),
    },
    { id: "link", label: "Copy link", icon: <Link />, run: () => void copyLink(id) },
  ];
}

async function copyLink(id: string): Promise<void> {
  if (await copyText(`${location.origin}/sessions/${id}`, "Link")) toast("Link copied");
  else toast.error("Link could not be copied");
}
