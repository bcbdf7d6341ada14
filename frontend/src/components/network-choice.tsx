// How much of the network a box may reach, and whether somebody is asked about the rest.
import { Choice, Field, Select } from "@/components/form";
import type { EgressPolicy } from "@/lib/api/types";
import { POLICIES, policiesUpTo } from "@/lib/network";

interface NetworkChoiceProps {
  policy: EgressPolicy;
  ask: boolean;
  loosest: EgressPolicy;
  /** False where the administrator alone decides which hosts are allowed. */
  canAsk: boolean;
  disabled?: boolean;
  onChange: (wish: { policy?: EgressPolicy; ask?: boolean }) => void;
}

export function NetworkChoice({ policy, ask, loosest, canAsk, disabled, onChange }: NetworkChoiceProps) {
  const choices = policiesUpTo(loosest);
  const isBounded = choices.length < POLICIES.length;
  const most = choices.at(-1)?.label;
  const hint = POLICIES.find((candidate) => candidate.id === policy)?.description;
  return (
    <div className="flex flex-col gap-1">
      <Field
        label="Network"
        hint={`${hint ?? ""}${isBounded ? ` The administrator allows “${most}” at most.` : ""}`}
      >
        {(ids) => (
          <Select
            {...ids}
            name="network"
            value={policy}
            disabled={disabled}
            onChange={(event) => onChange({ policy: event.target.value as EgressPolicy })}
            data-testid="network-policy"
          >
            {choices.map(({ id, label }) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {policy === "allow-list" && canAsk && (
        <Choice
          type="checkbox"
          name="network-ask"
          label="Ask me about other hosts"
          description="Otherwise they are refused."
          checked={ask}
          disabled={disabled}
          onChange={(event) => onChange({ ask: event.target.checked })}
          data-testid="network-ask"
        />
      )}
    </div>
  );
}
