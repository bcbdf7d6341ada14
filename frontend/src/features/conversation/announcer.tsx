// Reads the conversation out: each message once when it is complete, and each change of what is going on.
import { useEffect, useRef } from "react";
import { announce } from "@/lib/announce";
import { useLiveSession } from "@/lib/live/session-store";
import type { Conversation, Item } from "@/protocol/conversation";

const MAX_SPOKEN = 600;

function lastDone(conversation: Conversation): Item | undefined {
  return conversation.turns
    .at(-1)
    ?.items.findLast((item) => item.type === "message" && item.done && !item.broken);
}

export function Announcer({ session }: { session: string }) {
  const isLive = useLiveSession(session, (live) => live.connection.state === "live");
  const message = useLiveSession(session, (live) => lastDone(live.conversation));
  const pending = useLiveSession(
    session,
    (live) => live.state?.permissions.find((permission) => permission.state === "pending")?.id,
  );
  const title = useLiveSession(
    session,
    (live) => live.state?.permissions.find((permission) => permission.state === "pending")?.title,
  );
  const ended = useLiveSession(session, (live) => live.conversation.turns.at(-1)?.stop_reason);
  const spoken = useRef<number | null>(null);

  useEffect(() => {
    // What was there when the page opened is read by whoever wants to, not aloud.
    const isFirst = spoken.current === null;
    if (!isLive) return;
    const seq = message?.seq ?? 0;
    if (!isFirst && seq > (spoken.current ?? 0) && message?.type === "message")
      announce(message.text.slice(0, MAX_SPOKEN));
    spoken.current = seq;
  }, [isLive, message]);

  useEffect(() => {
    if (pending) announce(`The agent needs you: ${title}`, "assertive");
  }, [pending, title]);

  const hadTurn = useRef(false);
  useEffect(() => {
    if (hadTurn.current && isLive && ended)
      announce(ended === "end_turn" ? "The agent is done" : `The turn ended: ${ended}`);
    hadTurn.current = isLive && ended === null;
  }, [isLive, ended]);

  return null;
}
