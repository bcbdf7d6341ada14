// Leaves out of a list of items what another line says already.
import type { Item, ToolItem } from "@/protocol/conversation";
import { isPlanUpdate } from "./tool-words";

/**
 * A call that was rejected before it did anything stands in the outcome of its question, with who rejected it and why;
 * of updates of the plan that follow each other one is enough: the plan itself is pinned above the conversation.
 */
export function saidOnce(items: Item[], below: ReadonlyMap<string, Item[]>): Item[] {
  const rejected = new Set<string>();
  for (const item of items) {
    if (item.type === "permission" && item.choice === "reject") rejected.add(item.tool_call_id);
  }
  const isLeftOut = (tool: ToolItem) =>
    rejected.has(tool.tool_call_id) && didNothing(tool) && !below.has(tool.tool_call_id);
  const told = items.filter((item) => item.type !== "tool" || !isLeftOut(item));
  return told.filter((item, index) => !(isQuietUpdate(item) && isQuietUpdate(told[index + 1])));
}

function didNothing(tool: ToolItem): boolean {
  return tool.status !== "completed" && !tool.output;
}

function isQuietUpdate(item: Item | undefined): boolean {
  return item?.type === "tool" && isPlanUpdate(item);
}
