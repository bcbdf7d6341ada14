// The two overlays that are there on every page.
import { useNavigate } from "@tanstack/react-router";
import {
  ChartNoAxesColumn,
  CircleUser,
  Globe,
  Inbox,
  Keyboard,
  KeyRound,
  Moon,
  Palette as PaletteIcon,
  PanelLeft,
  Plus,
  Sun,
  SunMoon,
  Ticket,
  Trash2,
} from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { Dialog } from "@/components/dialog";
import { ShortcutList } from "@/components/shortcut-list";
import type { PaletteAction } from "@/features/palette/palette";
import type { Session } from "@/lib/api/types";
import { setPreference, usePreferences } from "@/lib/preferences";
import { useSessionActions } from "./use-session-actions";

const Palette = lazy(async () => ({ default: (await import("@/features/palette/palette")).Palette }));

interface PaletteAndHelpProps {
  open: "palette" | "help" | null;
  sessions: Session[];
  /** The session that is shown. */
  currentId: string | undefined;
  onClose: () => void;
  onHelp: () => void;
}

export function PaletteAndHelp({ open, sessions, currentId, onClose, onHelp }: PaletteAndHelpProps) {
  const navigate = useNavigate();
  // Once it is there it stays: a dialog that closes gives the focus back, one that is gone cannot.
  const [isLoaded, setIsLoaded] = useState(false);
  if (open === "palette" && !isLoaded) setIsLoaded(true);
  const ofSession = useSessionActions(sessions.find((session) => session.id === currentId));
  const toSettings = (section: string) => void navigate({ to: "/settings/$section", params: { section } });
  const actions: PaletteAction[] = [
    {
      id: "new",
      label: "New session",
      icon: <Plus />,
      shortcut: "new-session",
      run: () => void navigate({ to: "/" }),
    },
    { id: "inbox", label: "Inbox", icon: <Inbox />, run: () => void navigate({ to: "/inbox" }) },
    { id: "keys", label: "Provider keys", icon: <KeyRound />, run: () => toSettings("keys") },
    { id: "rules", label: "Network rules", icon: <Globe />, run: () => toSettings("network") },
    {
      id: "usage",
      label: "Usage and budgets",
      icon: <ChartNoAxesColumn />,
      run: () => toSettings("usage"),
    },
    { id: "tokens", label: "Access tokens", icon: <Ticket />, run: () => toSettings("tokens") },
    { id: "account", label: "Account", icon: <CircleUser />, run: () => toSettings("account") },
    { id: "deleted", label: "Deleted sessions", icon: <Trash2 />, run: () => toSettings("deleted") },
    { id: "appearance", label: "Appearance", icon: <PaletteIcon />, run: () => toSettings("appearance") },
    { id: "shortcuts", label: "Keyboard shortcuts", icon: <Keyboard />, shortcut: "help", run: onHelp },
    {
      id: "sidebar",
      label: "Show or hide the sidebar",
      icon: <PanelLeft />,
      shortcut: "sidebar",
      run: () => setPreference({ isSidebarShown: !usePreferences.getState().isSidebarShown }),
    },
    { id: "light", label: "Light theme", icon: <Sun />, run: () => setPreference({ theme: "light" }) },
    { id: "dark", label: "Dark theme", icon: <Moon />, run: () => setPreference({ theme: "dark" }) },
    {
      id: "system",
      label: "Theme as the system",
      icon: <SunMoon />,
      run: () => setPreference({ theme: "system" }),
    },
  ];
  return (
    <>
      {isLoaded && (
        <Suspense>
          <Palette
            open={open === "palette"}
            onClose={onClose}
            ofSession={ofSession}
            actions={actions}
            sessions={sessions}
            onSession={(sessionId) => void navigate({ to: "/sessions/$sessionId", params: { sessionId } })}
          />
        </Suspense>
      )}
      <Dialog open={open === "help"} onClose={onClose} title="Keyboard shortcuts" className="max-w-160">
        <ShortcutList />
      </Dialog>
    </>
  );
}
