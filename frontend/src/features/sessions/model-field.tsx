// Choosing a model: of every provider that can be used, or another one by its id.
import { useState } from "react";
import { Field, Input, Select } from "@/components/form";
import type { Agent, Provider } from "@/lib/api/types";
import { decodeChoice, encodeChoice, fits, isUsable, type ModelChoice } from "./model-choice";

const OTHER = "other";

interface ModelFieldProps {
  providers: Provider[];
  agent: Agent | undefined;
  value: ModelChoice | null;
  onChange: (choice: ModelChoice) => void;
}

export function ModelField({ providers, agent, value, onChange }: ModelFieldProps) {
  const provider = providers.find((candidate) => candidate.id === value?.provider);
  const isListed = provider?.models.some((model) => model.id === value?.model) ?? false;
  const [isOther, setIsOther] = useState(value !== null && !isListed);
  const usable = providers.filter((candidate) => isUsable(candidate, agent));
  const locked = providers.filter((candidate) => fits(candidate, agent) && !isUsable(candidate, agent));
  const choose = (next: string) => {
    const [kind, id] = next.split(":", 2);
    setIsOther(kind === OTHER);
    if (kind !== OTHER) onChange(decodeChoice(next));
    else if (id) onChange({ provider: id, model: "" });
  };
  const selected = isOther && value ? `${OTHER}:${value.provider}` : value ? encodeChoice(value) : "";
  return (
    <div className="flex min-w-0 flex-col gap-2">
      <Field label="Model">
        {(ids) => (
          <Select {...ids} name="model" value={selected} onChange={(event) => choose(event.target.value)}>
            {usable.map((one) => (
              <optgroup key={one.id} label={one.name}>
                {one.models.map((model) => (
                  <option key={model.id} value={encodeChoice({ provider: one.id, model: model.id })}>
                    {model.name}
                  </option>
                ))}
                {one.needs_key && <option value={`${OTHER}:${one.id}`}>Another model of {one.name}…</option>}
              </optgroup>
            ))}
            {locked.length > 0 && (
              <optgroup label="Need a key (settings, keys)">
                {locked.map((one) => (
                  <option key={one.id} disabled>
                    {one.name}
                  </option>
                ))}
              </optgroup>
            )}
          </Select>
        )}
      </Field>
      {isOther && value && (
        <Field label={`Model id at ${provider?.name ?? value.provider}`}>
          {(ids) => (
            <Input
              {...ids}
              required
              maxLength={200}
              spellCheck={false}
              value={value.model}
              onChange={(event) => onChange({ provider: value.provider, model: event.target.value })}
            />
          )}
        </Field>
      )}
    </div>
  );
}
