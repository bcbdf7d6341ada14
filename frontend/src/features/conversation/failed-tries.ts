// Which messages are no part of the answer, although they stand in the log.
import type { Item, Turn } from "@/protocol/conversation";

/** Messages that the provider broke off; what was said last before somebody stopped the turn is as good as it got. */
export function failedTriesOf(turn: Turn): ReadonlySet<Item> {
  const isCut = turn.stop_reason === "cancelled" || turn.stop_reason === "interrupted";
  const last = turn.items.findLast((item) => item.type === "message");
  return new Set(
    turn.items.filter((item) => item.type === "message" && item.broken && !(isCut && item === last)),
  );
}
