// The mode and the model of a session, chosen beside the composer; they hold from the next turn on.
import { useQuery } from "@tanstack/react-query";
import { toast } from "sonner";
import { Select } from "@/components/form";
import { messageOf } from "@/lib/api/errors";
import { providersQuery } from "@/lib/api/keys";
import { changeSession } from "@/lib/api/sessions";
import type { Mode, Provider, Session } from "@/lib/api/types";
import { MODES } from "@/lib/modes";

interface ChatControlsProps {
  session: Session;
  onMode: (mode: Mode) => void;
}

export function ChatControls({ session, onMode }: ChatControlsProps) {
  const providers = useQuery(providersQuery);
  const provider = providers.data?.find((candidate) => candidate.id === session.provider);
  const setModel = (model: string) => {
    changeSession(session.id, { model }).catch((error: unknown) => toast.error(messageOf(error)));
  };
  return (
    <>
      <Select
        bare
        className="shrink-0"
        aria-label="Permission mode"
        title={MODES.find((mode) => mode.id === session.mode)?.description}
        value={session.mode}
        onChange={(event) => onMode(event.target.value as Mode)}
        data-testid="mode-select"
      >
        {MODES.map(({ id, label }) => (
          <option key={id} value={id}>
            {label}
          </option>
        ))}
      </Select>
      {/* Only when it is known what the models are called, or that nobody can say. */}
      {!providers.isPending && (
        <Select
          bare
          aria-label="Model"
          value={session.model}
          onChange={(event) => setModel(event.target.value)}
          data-testid="model-select"
        >
          {modelsOf(provider, session.model).map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Select>
      )}
    </>
  );
}

/** The provider's models; the chosen one is among them even if the catalogue does not know it. */
function modelsOf(provider: Provider | undefined, current: string): { id: string; name: string }[] {
  const models = provider?.models ?? [];
  return models.some((model) => model.id === current) ? models : [{ id: current, name: current }, ...models];
}
