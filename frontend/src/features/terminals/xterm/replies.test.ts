// Who answers a program's queries: nobody for what is replayed, and only the one who may for what is live.
import { readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { headlessXterm, written } from "./fake-xterm";
import { guardReplies } from "./replies";

/** The tests of the whole product replay the same corpus. */
const CORPUS = path.resolve(import.meta.dirname, "../../../../../tests/fixtures/terminals/hostile.json");
const { queries: QUERIES, actions: ACTIONS } = JSON.parse(readFileSync(CORPUS, "utf8")) as {
  queries: string[];
  actions: string[];
};
const HOSTILE = [...QUERIES, ...ACTIONS].map((sequence, index) => `${index}${sequence}`).join("\r\n");

let mayAnswer = false;
const sent: string[] = [];

function guarded() {
  const xterm = headlessXterm();
  const replies = guardReplies(xterm, () => mayAnswer);
  xterm.onData((data) => replies.isAllowed(data) && sent.push(data));
  xterm.onBinary((data) => sent.push(data));
  return xterm;
}

afterEach(() => {
  mayAnswer = false;
  sent.length = 0;
});

test.each(QUERIES.map((query) => [query]))("replayed, %j is not answered", async (query) => {
  await written(guarded(), `before ${query} after`);
  expect(sent).toEqual([]);
});

test("live, for the one who may, the queries that xterm.js knows are answered", async () => {
  mayAnswer = true;
  const xterm = guarded();
  await written(xterm, "\u001b[c\u001b[>c\u001b[6n\u001b[?25$p\u001bP$qm\u001b\\");
  expect(sent).toHaveLength(5);
  expect(sent[0]).toBe("\u001b[?1;2c");
});

test("nothing about windows is ever answered", async () => {
  mayAnswer = true;
  await written(guarded(), "\u001b[18t\u001b[14t\u001b[16t\u001b[21t\u001b[8;3;3t");
  expect(sent).toEqual([]);
});

test("all of it at once, and cut anywhere, leaves no answer and a terminal that works", async () => {
  const xterm = guarded();
  for (let at = 0; at < HOSTILE.length; at += 7) await written(xterm, HOSTILE.slice(at, at + 7));
  await written(xterm, "\u0018\u001bcstill here");
  expect(sent).toEqual([]);
  expect(xterm.buffer.active.getLine(0)?.translateToString(true)).toBe("still here");
  expect([xterm.cols, xterm.rows]).toEqual([40, 10]);
});

test("what is typed meanwhile gets through", async () => {
  const xterm = guarded();
  const done = written(xterm, QUERIES.join(""));
  xterm.input("x");
  await done;
  expect(sent).toEqual(["x"]);
});

test("hostile actions send nothing either", async () => {
  mayAnswer = true;
  await written(guarded(), ACTIONS.join("\r\n"));
  expect(sent).toEqual([]);
});
