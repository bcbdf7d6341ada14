// Which model a new session begins with.
import { expect, test } from "vitest";
import type { Agent, Provider } from "@/lib/api/types";
import { decodeChoice, encodeChoice, firstChoice, fits, isUsable } from "./model-choice";

const provider = (id: string, needs_key: boolean, has_key: boolean, wire = "openai-chat") =>
  ({
    id,
    name: id,
    needs_key,
    has_key,
    wire,
    agents: [] as string[],
    models: [{ id: `${id}-1`, name: id }],
  }) as Provider;
const agent = { wires: ["openai-chat"] } as Agent;
const demo = provider("demo", false, false);

test("without a key it is the demo", () => {
  expect(firstChoice([demo, provider("a", true, false)], agent, {})).toEqual({
    provider: "demo",
    model: "demo-1",
  });
});

test("with a key it is that provider, although the demo was used last", () => {
  const last = { provider: "demo", model: "demo-1" };
  expect(firstChoice([demo, provider("a", true, true)], agent, last)).toEqual({
    provider: "a",
    model: "a-1",
  });
});

test("the last one is kept, also a model that the catalogue does not know", () => {
  const last = { provider: "b", model: "b-preview" };
  expect(firstChoice([demo, provider("a", true, true), provider("b", true, true)], agent, last)).toEqual(
    last,
  );
});

test("the login of a plan is for that plan's own agent", () => {
  const plan = { ...provider("plan", true, true), agents: ["claude"] };
  const own = { ...agent, id: "claude" };
  expect(isUsable(plan, own)).toBe(true);
  expect(isUsable(plan, { ...agent, id: "opencode" })).toBe(false);
  expect(fits({ ...plan, has_key: false }, own)).toBe(true);
});

test("a provider that the agent cannot speak with is not chosen", () => {
  const other = provider("a", true, true, "google");
  expect(firstChoice([demo, other], agent, { provider: "a", model: "a-1" })).toEqual({
    provider: "demo",
    model: "demo-1",
  });
  expect(firstChoice([other], agent, {})).toBeNull();
});

test("the demo speaks with every agent", () => {
  const other = { wires: ["google"] } as Agent;
  expect(firstChoice([demo], other, {})).toEqual({ provider: "demo", model: "demo-1" });
});

test("model ids may hold slashes", () => {
  const choice = { provider: "openrouter", model: "meta/llama:free" };
  expect(decodeChoice(encodeChoice(choice))).toEqual(choice);
});
