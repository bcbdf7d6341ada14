// The fold against the golden fixtures that the Python fold is held to as well, and what only we promise: sharing.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { Conversation, Turn } from "./conversation";
import type { LogEvent } from "./events";
import { fold, foldAll } from "./fold";

const folder = path.resolve(import.meta.dirname, "../../../tests/fixtures/conversations");
const fixtures = readdirSync(folder).filter((name) => name.endsWith(".json"));

function load(name: string): { events: LogEvent[]; conversation: Conversation } {
  return JSON.parse(readFileSync(path.join(folder, name), "utf8"));
}

function turnOf(conversation: Conversation, index: number): Turn {
  const turn = conversation.turns[index];
  if (!turn) throw new Error(`no turn ${index}`);
  return turn;
}

test("there are fixtures", () => {
  expect(fixtures.length).toBeGreaterThanOrEqual(8);
});

describe.each(fixtures)("%s", (name) => {
  const { events, conversation } = load(name);

  test("folds to its conversation", () => {
    expect(foldAll(events)).toEqual(conversation);
  });

  test("folds the same when a stop anywhere has gone through JSON", () => {
    for (let cut = 1; cut < events.length; cut += 1) {
      const before = JSON.parse(JSON.stringify(foldAll(events.slice(0, cut))));
      expect(foldAll(events.slice(cut), before)).toEqual(conversation);
    }
  });

  test("never changes what it was given", () => {
    let state = foldAll([]);
    for (const event of events) {
      const copy = structuredClone(state);
      const before = state;
      state = fold(state, event);
      expect(before).toEqual(copy);
    }
  });
});

describe("sharing", () => {
  test("a delta keeps every other item and turn as the same object", () => {
    const base = foldAll(load("salvage_after_loss.json").events);
    const last = turnOf(base, base.turns.length - 1);
    const delta: LogEvent = {
      v: 1,
      seq: base.last_seq + 1,
      gen: 2,
      turn: last.id,
      ts: "2026-11-22T11:00:00.000Z",
      kind: "message.delta",
      data: { part_id: "p2", offset: 12, text: " More." },
    };
    const next = fold(base, delta);
    const changed = turnOf(next, next.turns.length - 1);
    expect(next.turns.slice(0, -1).every((turn, index) => turn === base.turns[index])).toBe(true);
    const different = changed.items.filter((item, index) => item !== last.items[index]);
    expect(different).toEqual([expect.objectContaining({ text: "Carrying on. More." })]);
  });

  test("an event that the transcript does not show keeps the turns", () => {
    const { events } = load("tools.json");
    const base = foldAll(events);
    const next = fold(base, {
      ...(events[0] as LogEvent),
      seq: 99,
      kind: "agent.status",
      data: { status: "busy" },
    });
    expect(next.turns).toBe(base.turns);
    expect(next.last_seq).toBe(99);
  });
});
