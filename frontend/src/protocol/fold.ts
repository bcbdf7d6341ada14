// Folds the log into the conversation: pure, one event at a time, sharing everything that did not change.
// sessions_app/services/conversation.py is its twin; tests/fixtures/conversations/ holds both to the same answers.
import {
  type Conversation,
  EMPTY,
  type Item,
  type PermissionItem,
  type TextItem,
  type ToolItem,
  type Turn,
} from "./conversation";
import { type LogEvent, lastNumber, type TextDelta, type ToolOutput, type ToolUpsert } from "./events";
import { answered, asked, counted, emptyTool, emptyTurn } from "./fold-items";
import { codePointLength, mergeText } from "./text";

const NOT_SHOWN: ReadonlySet<string> = new Set([
  "agent.status",
  "file.changed",
  "terminal.opened",
  "terminal.closed",
  "egress.used",
  "egress.blocked",
]);

/** Lengths in code points of the texts of items, so that appending to a long text does not measure it again. */
const lengths = new WeakMap<Item, number>();

/** The conversation after `event`. Unknown kinds only move the number. */
export function fold(conversation: Conversation, event: LogEvent): Conversation {
  const next = {
    ...conversation,
    last_seq: Math.max(conversation.last_seq, lastNumber(event)),
    gen: event.gen,
  };
  switch (event.kind) {
    case "instance.started":
      return withNotice({ ...next, agent: event.data.agent }, event);
    case "instance.stopped":
    case "instance.lost":
      return withNotice(next, event);
    case "agent.config":
      return { ...next, config: event.data };
    default:
      return event.turn === null ? withoutTurn(next, event) : inTurn(next, event.turn, event);
  }
}

export function foldAll(events: Iterable<LogEvent>, base: Conversation = EMPTY): Conversation {
  let conversation = base;
  for (const event of events) conversation = fold(conversation, event);
  return conversation;
}

function withNotice(conversation: Conversation, event: LogEvent): Conversation {
  const notice = {
    seq: event.seq,
    kind: event.kind,
    ts: event.ts,
    data: event.data as Record<string, unknown>,
  };
  return { ...conversation, notices: [...conversation.notices, notice] };
}

function withoutTurn(conversation: Conversation, event: LogEvent): Conversation {
  const isTold =
    event.kind === "error" ||
    event.kind === "events.suppressed" ||
    (event.kind === "permission.answered" && Boolean(event.data.host));
  return isTold ? withNotice(conversation, event) : conversation;
}

function inTurn(conversation: Conversation, id: string, event: LogEvent): Conversation {
  if (NOT_SHOWN.has(event.kind)) return conversation;
  const turns = conversation.turns.slice();
  let index = turns.findLastIndex((turn) => turn.id === id);
  if (index < 0) index = turns.push(emptyTurn(id, event)) - 1;
  turns[index] = advance(turns[index] as Turn, event);
  return { ...conversation, turns };
}

function advance(turn: Turn, event: LogEvent): Turn {
  switch (event.kind) {
    case "turn.started": {
      const { prompt, by = "", model = "" } = event.data;
      return { ...turn, prompt, by, model, started_at: event.ts };
    }
    case "turn.ended":
      return ended(turn, event);
    case "message.delta":
      return withText(turn, event, "message", event.data);
    case "thought.delta":
      return withText(turn, event, "thought", event.data);
    case "message.done":
    case "thought.done":
      return change(turn, isPart(event.data.part_id), (item: TextItem) =>
        keepLength(item, { ...item, done: true, broken: event.data.broken ?? false, ended_at: event.ts }),
      );
    case "tool.upsert":
      return withTool(turn, event, event.data);
    case "tool.output":
      return withOutput(turn, event, event.data);
    case "plan":
      return { ...turn, plan: event.data.entries };
    case "permission.asked":
      return { ...turn, items: [...turn.items, asked(event.seq, event.data)] };
    case "permission.answered":
      return change(turn, isPermission(event.data.permission_id), (item) => answered(item, event.data));
    case "usage":
      return { ...turn, usage: counted(turn, event.data) };
    case "error": {
      const { class: errorClass, message, retry_at = "" } = event.data;
      return {
        ...turn,
        items: [...turn.items, { type: "error", seq: event.seq, class: errorClass, message, retry_at }],
      };
    }
    case "events.suppressed": {
      const { kind, count } = event.data;
      return { ...turn, items: [...turn.items, { type: "suppressed", seq: event.seq, kind, count }] };
    }
    default:
      return turn;
  }
}

const isPart =
  (id: string) =>
  (item: Item): item is TextItem =>
    (item.type === "message" || item.type === "thought") && item.part_id === id;
const isTool =
  (id: string) =>
  (item: Item): item is ToolItem =>
    item.type === "tool" && item.tool_call_id === id;
const isPermission =
  (id: string) =>
  (item: Item): item is PermissionItem =>
    item.type === "permission" && item.permission_id === id;

/** `turn` with the one item that matches replaced; the same turn when there is none. Newest items are tried first. */
function change<T extends Item>(
  turn: Turn,
  matches: (item: Item) => item is T,
  update: (item: T) => Item,
): Turn {
  const index = turn.items.findLastIndex(matches);
  if (index < 0) return turn;
  const items = turn.items.slice();
  items[index] = update(items[index] as T);
  return { ...turn, items };
}

/** As `change`, but an item that is missing is made first and stands at the end. */
function changeOrAdd<T extends Item>(
  turn: Turn,
  matches: (item: Item) => item is T,
  make: () => T,
  update: (item: T) => Item,
): Turn {
  if (turn.items.some(matches)) return change(turn, matches, update);
  return { ...turn, items: [...turn.items, update(make())] };
}

function keepLength<T extends Item>(before: Item, after: T): T {
  const length = lengths.get(before);
  if (length !== undefined) lengths.set(after, length);
  return after;
}

function measured(item: Item, text: string): number {
  return lengths.get(item) ?? codePointLength(text);
}

function withText(turn: Turn, event: LogEvent, type: "message" | "thought", data: TextDelta): Turn {
  const make = (): TextItem => ({
    type,
    seq: event.seq,
    started_at: event.ts,
    ended_at: null,
    part_id: data.part_id,
    text: "",
    done: false,
    broken: false,
    parent_tool_call_id: data.parent_tool_call_id ?? "",
  });
  return changeOrAdd(turn, isPart(data.part_id), make, (item) => {
    const merged = mergeText(item.text, measured(item, item.text), data.offset, data.text);
    const after = { ...item, text: merged.text };
    lengths.set(after, merged.length);
    return after;
  });
}

function withTool(turn: Turn, event: LogEvent, data: ToolUpsert): Turn {
  const { tool_call_id: id, ...fields } = data;
  const known = Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== undefined),
  );
  return changeOrAdd(
    turn,
    isTool(id),
    () => emptyTool(event, id),
    (item) => keepLength(item, timed(item, { ...item, ...known }, event.ts)),
  );
}

/** `after` with its times: it begins when it no longer waits, and ends with the status that is an end. */
function timed(before: ToolItem, after: ToolItem, ts: string): ToolItem {
  const isOpen = after.status === "pending" || after.status === "in_progress";
  const begins = before.status === "pending" && after.status === "in_progress";
  return {
    ...after,
    started_at: begins ? ts : after.started_at,
    ended_at: isOpen ? null : (after.ended_at ?? ts),
  };
}

function withOutput(turn: Turn, event: LogEvent, data: ToolOutput): Turn {
  return changeOrAdd(
    turn,
    isTool(data.tool_call_id),
    () => emptyTool(event, data.tool_call_id),
    (item) => {
      const merged = mergeText(item.output, measured(item, item.output), data.offset, data.text);
      const output_omitted = Math.max(item.output_omitted, data.omitted ?? 0);
      const output_gap = item.output_gap || (data.gap ?? false);
      const after = { ...item, output: merged.text, output_omitted, output_gap };
      lengths.set(after, merged.length);
      return after;
    },
  );
}

function ended(turn: Turn, event: LogEvent & { kind: "turn.ended" }): Turn {
  const { stop_reason, error = null } = event.data;
  const cut = stop_reason === "interrupted" || stop_reason === "cancelled";
  const items = turn.items.map((item) => {
    if (item.type === "permission" && item.state === "pending") return { ...item, state: "lost" as const };
    if ((item.type === "message" || item.type === "thought") && !item.done)
      return keepLength(item, { ...item, broken: true, ended_at: item.ended_at ?? event.ts });
    const open = item.type === "tool" && (item.status === "pending" || item.status === "in_progress");
    return cut && open
      ? keepLength(item, { ...item, status: "interrupted" as const, ended_at: event.ts })
      : item;
  });
  return { ...turn, ended_at: event.ts, status: "ended", stop_reason, error, items };
}
