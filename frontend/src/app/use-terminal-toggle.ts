// Showing and hiding the terminal by its key, and running a command of the conversation in it.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { toast } from "sonner";
import { focusComposer } from "@/lib/composer-place";
import { useIsNarrow } from "@/lib/media";
import { setPreference, usePreferences } from "@/lib/preferences";
import { isPlain, requestTerminal } from "@/lib/terminal-requests";

function useShowTerminals(sessionId: string): () => void {
  const navigate = useNavigate();
  return useCallback(() => {
    setPreference({ isPanelShown: true });
    void navigate({ to: "/sessions/$sessionId", params: { sessionId }, search: { panel: "terminal" } });
  }, [navigate, sessionId]);
}

export function useTerminalToggle(sessionId: string): () => void {
  const isNarrow = useIsNarrow();
  const isPanelShown = usePreferences((preferences) => preferences.isPanelShown);
  const { panel } = useSearch({ from: "/sessions/$sessionId" });
  const navigate = useNavigate();
  const show = useShowTerminals(sessionId);
  return () => {
    if (panel !== "terminal" || !(isNarrow || isPanelShown)) {
      requestTerminal(sessionId, { kind: "open" });
      show();
      return;
    }
    if (isNarrow) void navigate({ to: "/sessions/$sessionId", params: { sessionId }, search: {} });
    else setPreference({ isPanelShown: false });
    focusComposer();
  };
}

/** Only ever called by a click. */
export function useRunInTerminal(sessionId: string): (command: string) => void {
  const show = useShowTerminals(sessionId);
  return useCallback(
    (command: string) => {
      if (!isPlain(command)) {
        toast.error("This command has characters that cannot be seen. Copy it and look at it first.");
        return;
      }
      requestTerminal(sessionId, { kind: "run", command: command.trim() });
      show();
    },
    [sessionId, show],
  );
}
