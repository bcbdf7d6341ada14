// Deleting a session, and taking that back at once; later it can be done on the page of deleted sessions.
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { toast } from "sonner";
import { meQuery } from "@/lib/api/account";
import { messageOf } from "@/lib/api/errors";
import { deleteSession, restoreSession } from "@/lib/api/sessions";
import type { Session } from "@/lib/api/types";
import { reconnect } from "@/lib/live/session-store";
import { spanWords } from "@/lib/time";
import { briefTitleOf } from "./titles";

const UNDO_MS = 10_000;

/** For how long a deleted session is kept, in words. */
export function useKeptWords(): string {
  const me = useQueryClient().getQueryData(meQuery.queryKey);
  return me ? spanWords(me.deleted_kept_seconds) : "a while";
}

/** Brings a deleted session back, in the lists and wherever it is still open. */
export function useRestoring(): (id: string) => Promise<void> {
  const queries = useQueryClient();
  return async (id) => {
    try {
      await restoreSession(id);
      reconnect(id);
    } finally {
      // Nobody needs to wait for the lists: there may be many, and whoever was in the session wants to go back.
      void queries.invalidateQueries({ queryKey: ["sessions"] });
    }
  };
}

/** Deletes the session and offers to undo it; whoever was looking at it is led away, and back. */
export function useDeletion(session: Session, isCurrent: boolean): () => Promise<void> {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const restore = useRestoring();
  const { id } = session;
  const kept = useKeptWords();
  const undo = async () => {
    try {
      await restore(id);
      if (isCurrent) await navigate({ to: "/sessions/$sessionId", params: { sessionId: id } });
    } catch (error) {
      toast.error(messageOf(error));
    }
  };
  return async () => {
    await deleteSession(id);
    toast(`“${briefTitleOf(session)}” deleted`, {
      description: `What ran in it is stopped. Under Deleted sessions it can be restored for ${kept}.`,
      duration: UNDO_MS,
      action: { label: "Undo", onClick: () => void undo() },
    });
    if (isCurrent) await navigate({ to: "/" });
    await queries.invalidateQueries({ queryKey: ["sessions"] });
  };
}
