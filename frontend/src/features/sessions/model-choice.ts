// Which models can be chosen now, and which one to begin with.
import type { Agent, Provider } from "@/lib/api/types";

export interface ModelChoice {
  provider: string;
  model: string;
}

/** Whether this agent speaks the provider's API, and may use what that takes as a key. */
export function fits(provider: Provider, agent: Agent | undefined): boolean {
  // The login of a plan is for that plan's own product.
  if (agent && provider.agents.length > 0 && !provider.agents.includes(agent.id)) return false;
  // The scripted demo speaks whatever the agent speaks.
  return !agent || !provider.needs_key || agent.wires.includes(provider.wire);
}

export function isUsable(provider: Provider, agent: Agent | undefined): boolean {
  return fits(provider, agent) && (!provider.needs_key || provider.has_key);
}

/** The last one used if it can still be used, else a provider with a key, else the demo. */
export function firstChoice(
  providers: Provider[],
  agent: Agent | undefined,
  last: Partial<ModelChoice>,
): ModelChoice | null {
  const usable = providers.filter((provider) => isUsable(provider, agent));
  const known = usable.find((provider) => provider.id === last.provider);
  // The demo is for whoever has nothing else: it does not stay chosen once there is a key.
  if (known && last.model && (known.needs_key || usable.every((provider) => !provider.needs_key))) {
    return { provider: known.id, model: last.model };
  }
  // Of some providers nobody knows the models in advance.
  const withModels = usable.filter((provider) => provider.models.length > 0);
  const best = withModels.find((provider) => provider.needs_key) ?? withModels[0];
  const model = best?.models[0];
  return best && model ? { provider: best.id, model: model.id } : null;
}

/** What was chosen in a form, newest first: of each provider the latest. */
export function withNewest(chosen: ModelChoice[], next: ModelChoice): ModelChoice[] {
  return [next, ...chosen.filter(({ provider }) => provider !== next.provider)];
}

export function newestUsable(
  chosen: ModelChoice[],
  providers: Provider[],
  agent: Agent | undefined,
): ModelChoice | undefined {
  return chosen.find((choice) =>
    providers.some((provider) => provider.id === choice.provider && isUsable(provider, agent)),
  );
}

/** One value for a list's option. */
export function encodeChoice({ provider, model }: ModelChoice): string {
  return `${provider}/${model}`;
}

export function decodeChoice(value: string): ModelChoice {
  const slash = value.indexOf("/");
  return { provider: value.slice(0, slash), model: value.slice(slash + 1) };
}
