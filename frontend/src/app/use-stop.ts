// Stopping a run. It counts as stopped only when the turn has ended, not when somebody pressed the button.
import { useState } from "react";
import { toast } from "sonner";
import { messageOf } from "@/lib/api/errors";
import { interruptTurn } from "@/lib/api/sessions";
import { useLiveSession } from "@/lib/live/session-store";

export function useStop(id: string): { stop: () => void; isStopping: boolean } {
  const turn = useLiveSession(id, (live) => live.state?.session.turn ?? null);
  const [asked, setAsked] = useState<string | null>(null);
  const stop = () => {
    if (!turn || asked === turn) return;
    setAsked(turn);
    interruptTurn(id, turn).catch((error: unknown) => {
      setAsked(null);
      toast.error(messageOf(error));
    });
  };
  return { stop, isStopping: turn !== null && asked === turn };
}
