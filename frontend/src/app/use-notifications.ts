// Tells on this device that an agent waits, once for each question, while nobody looks at the page.
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { askOfPermission, headingOf, summaryOf } from "@/features/permissions/ask";
import type { Permission } from "@/lib/api/types";
import { notify } from "@/lib/notifications";
import { usePreferences } from "@/lib/preferences";

/** `waiting` is undefined until it is known; what waits then already is nothing new. */
export function useNotifications(waiting: Permission[] | undefined): void {
  const navigate = useNavigate();
  const notifies = usePreferences((preferences) => preferences.notifies);
  const known = useRef<ReadonlySet<string> | null>(null);
  useEffect(() => {
    if (!waiting) return;
    const before = known.current;
    known.current = new Set(waiting.map(({ id }) => id));
    if (!before || !notifies || document.hasFocus()) return;
    for (const permission of waiting.filter(({ id }) => !before.has(id))) {
      const ask = askOfPermission(permission);
      const { session } = permission;
      notify({
        title: permission.session_title || "Untitled session",
        body: `The agent ${headingOf(ask)}: ${summaryOf(ask)}`,
        tag: permission.id,
        onOpen: () => void navigate({ to: "/sessions/$sessionId", params: { sessionId: session } }),
      });
    }
  }, [waiting, notifies, navigate]);
}
