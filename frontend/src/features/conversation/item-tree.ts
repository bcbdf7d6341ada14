// Puts a turn's items under the tool calls that they belong to.
import type { Item } from "@/protocol/conversation";
import { saidOnce } from "./said-once";

export interface ItemTree {
  top: Item[];
  below: ReadonlyMap<string, Item[]>;
  /** The calls that somebody has yet to allow. */
  waiting: ReadonlySet<string>;
  /** The permissions whose call stands right above them and says already what was asked for. */
  besideCall: ReadonlySet<string>;
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
  const waiting = items.flatMap((item) =>
    item.type === "permission" && item.state === "pending" ? item.tool_call_id : [],
  );
  const tree = { top: saidOnce(top, below), below: new Map(told), waiting: new Set(waiting) };
  return { ...tree, besideCall: besideCall([tree.top, ...tree.below.values()].flat()) };
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

/** A call that was asked about more than once does not say which question is which. */
function besideCall(shown: Item[]): Set<string> {
  const calls = new Set(shown.map((item) => (item.type === "tool" ? item.tool_call_id : "")));
  const asks = shown.filter((item) => item.type === "permission");
  const isOnly = (call: string) => asks.filter((ask) => ask.tool_call_id === call).length === 1;
  return new Set(
    asks.flatMap((ask) => (calls.has(ask.tool_call_id) && isOnly(ask.tool_call_id) ? ask.permission_id : [])),
  );
}

/** Whether somebody has to answer something inside of this call. */
export function hasPending(id: string, below: ReadonlyMap<string, Item[]>): boolean {
  return (below.get(id) ?? []).some(
    (item) =>
      (item.type === "permission" && item.state === "pending") ||
      (item.type === "tool" && hasPending(item.tool_call_id, below)),
  );
}
