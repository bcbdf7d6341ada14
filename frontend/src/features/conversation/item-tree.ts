// Puts a turn's items under the tool calls that they belong to.
import type { Item } from "@/protocol/conversation";
import { saidOnce } from "./said-once";

export interface ItemTree {
  top: Item[];
  below: ReadonlyMap<string, Item[]>;
}

/** Each thing once. A sub-agent's items name its tool call; a permission stands beside the call that it is about. */
export function treeOf(items: Item[]): ItemTree {
  const parents = new Map<string, string>();
  for (const item of items) {
    if (item.type === "tool") parents.set(item.tool_call_id, item.parent_tool_call_id);
  }
  const below = new Map<string, Item[]>();
  const top: Item[] = [];
  for (const item of items) {
    const parent = parentOf(item, parents);
    if (!parent || !parents.has(parent) || isCircular(parent, parents)) top.push(item);
    else below.set(parent, [...(below.get(parent) ?? []), item]);
  }
  const told = [...below].map(([id, inner]) => [id, saidOnce(inner, below)] as const);
  return { top: saidOnce(top, below), below: new Map(told) };
}

function parentOf(item: Item, parents: ReadonlyMap<string, string>): string {
  if (item.type === "permission") return parents.get(item.tool_call_id) ?? "";
  return "parent_tool_call_id" in item ? item.parent_tool_call_id : "";
}

/** The box may say anything, also that two calls are each inside of the other. */
function isCircular(start: string, parents: ReadonlyMap<string, string>): boolean {
  const seen = new Set<string>();
  for (let id = start; id; id = parents.get(id) ?? "") {
    if (seen.has(id)) return true;
    seen.add(id);
  }
  return false;
}

/** Whether somebody has to answer something inside of this call. */
export function hasPending(id: string, below: ReadonlyMap<string, Item[]>): boolean {
  return (below.get(id) ?? []).some(
    (item) =>
      (item.type === "permission" && item.state === "pending") ||
      (item.type === "tool" && hasPending(item.tool_call_id, below)),
  );
}
