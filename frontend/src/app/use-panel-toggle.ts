// Showing and hiding the right panel: beside the conversation it is a preference, in its place it is an address.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useIsNarrow } from "@/lib/media";
import { setPreference, usePreferences } from "@/lib/preferences";

export function usePanelToggle(sessionId: string): { isShown: boolean; toggle: () => void } {
  const isNarrow = useIsNarrow();
  const isPreferred = usePreferences((preferences) => preferences.isPanelShown);
  const { panel } = useSearch({ from: "/sessions/$sessionId" });
  const navigate = useNavigate();
  const isShown = isNarrow ? panel !== undefined : isPreferred;
  const toggle = () => {
    if (!isNarrow) setPreference({ isPanelShown: !isPreferred });
    else
      void navigate({
        to: "/sessions/$sessionId",
        params: { sessionId },
        search: panel ? {} : { panel: "changes" },
      });
  };
  return { isShown, toggle };
}
