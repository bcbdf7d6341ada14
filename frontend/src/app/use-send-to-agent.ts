// Puts text of another part of the page into the composer, for whoever looks at it before it is sent.
import { useNavigate } from "@tanstack/react-router";
import { useCallback } from "react";
import { focusComposer, isComposerShown } from "@/lib/composer-place";
import { appendToDraft } from "@/lib/drafts";

export function useSendToAgent(sessionId: string): (text: string) => void {
  const navigate = useNavigate();
  return useCallback(
    (text: string) => {
      const send = async () => {
        appendToDraft(sessionId, text);
        // On a phone the conversation is behind another tab.
        if (!isComposerShown())
          await navigate({ to: "/sessions/$sessionId", params: { sessionId }, search: {} });
        focusComposer();
      };
      void send();
    },
    [navigate, sessionId],
  );
}
