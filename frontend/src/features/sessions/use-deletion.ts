// Deleting a session, and taking that back at once; later it can be done on the page of deleted sessions.
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { toast } from "sonner";
import { messageOf } from "@/lib/api/errors";
import { deleteSession, restoreSession } from "@/lib/api/sessions";
import type { Session } from "@/lib/api/types";
import { reconnect } from "@/lib/live/session-store";
import { titleOf } from "./titles";

const UNDO_MS = 10_000;

/** Brings a deleted session back, in the lists and wherever it is still open. */
export function useRestoring(): (id: string) => Promise<void> {
  const queries = useQueryClient();
  return async (id) => {
    try {
      await restoreSession(id);
      reconnect(id);
    } finally {
      await queries.invalidateQueries({ queryKey: ["sessions"] });
    }
  };
}

/** Deletes the session and offers to undo it; whoever was looking at it is led away, and back. */
export function useDeletion(session: Session, isCurrent: boolean): () => Promise<void> {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const restore = useRestoring();
  const { id } = session;
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
    toast(`“${titleOf(session)}” deleted`, {
      description: "What ran in it is stopped. Under Deleted sessions it can be restored for a while.",
      duration: UNDO_MS,
      action: { label: "Undo", onClick: () => void undo() },
    });
    if (isCurrent) await navigate({ to: "/" });
    await queries.invalidateQueries({ queryKey: ["sessions"] });
  };
}
