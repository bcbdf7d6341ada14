// Everything that a new session needs, on one screen; what was chosen last is chosen already.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ArrowRight, FlaskConical, TriangleAlert } from "lucide-react";
import { type KeyboardEvent, useRef, useState } from "react";
import { Button } from "@/components/button";
import { Field, FormError, Select, TextArea } from "@/components/form";
import { NetworkChoice } from "@/components/network-choice";
import { Problem, Skeleton } from "@/components/states";
import { boundsQuery } from "@/lib/api/egress";
import { ApiError, messageOf } from "@/lib/api/errors";
import { agentsQuery, providersQuery } from "@/lib/api/keys";
import { createSession } from "@/lib/api/sessions";
import type { Agent, EgressBounds, EgressPolicy, Mode, Provider } from "@/lib/api/types";
import { saveDraft, useDraft } from "@/lib/drafts";
import { newId } from "@/lib/id";
import { useIsTouch } from "@/lib/media";
import { MODES } from "@/lib/modes";
import { policiesUpTo } from "@/lib/network";
import { isComposing } from "@/lib/shortcuts";
import { recall, remember } from "@/lib/storage";
import { AgentFacts } from "./agent-facts";
import { firstChoice, type ModelChoice, newestUsable, withNewest } from "./model-choice";
import { ModelField } from "./model-field";
import { RepositoryField, type RepositoryWish } from "./repository-field";

const DRAFT = "new";

interface LastValues extends Partial<ModelChoice> {
  agent?: string;
  mode?: Mode;
  network?: Network;
}

interface Network {
  policy: EgressPolicy;
  ask: boolean;
}

export function NewSessionForm() {
  const agents = useQuery(agentsQuery);
  const providers = useQuery(providersQuery);
  const bounds = useQuery(boundsQuery);
  // What is there already stays, with all that was chosen: a list that is asked for again may fail.
  if (agents.data && providers.data && bounds.data) {
    const ofModels = providers.data.filter((provider) => provider.kind !== "git");
    return <Form agents={agents.data} providers={ofModels} bounds={bounds.data} />;
  }
  const error = agents.error ?? providers.error ?? bounds.error;
  if (error) {
    const retry = () => Promise.all([agents.refetch(), providers.refetch(), bounds.refetch()]);
    return <Problem what="The choices for a new session could not be loaded" error={error} onRetry={retry} />;
  }
  return <Skeleton lines={8} className="mx-auto max-w-160" />;
}

interface FormProps {
  agents: Agent[];
  providers: Provider[];
  bounds: EgressBounds;
}

function Form({ agents, providers, bounds }: FormProps) {
  const [last] = useState(() => recall<LastValues>("new-session", {}));
  const [agentId, setAgentId] = useState(
    agents.find((agent) => agent.id === last.agent)?.id ?? agents[0]?.id ?? "",
  );
  const agent = agents.find((candidate) => candidate.id === agentId);
  // What was chosen for one agent may not fit another, and is still chosen when the first one is again.
  const [chosen, setChosen] = useState<ModelChoice[]>([]);
  const choice = newestUsable(chosen, providers, agent) ?? firstChoice(providers, agent, last);
  const [mode, setMode] = useState<Mode>(last.mode ?? "ask");
  const [network, setNetwork] = useState(() => firstNetwork(bounds, last.network));
  const [repository, setRepository] = useState<RepositoryWish>({ url: "", branch: "" });
  const prompt = useDraft(DRAFT);
  const create = useCreateSession();
  const isTouch = useIsTouch();
  const isDemo = choice?.provider === "demo";
  const provider = providers.find((candidate) => candidate.id === choice?.provider);

  const submit = () => {
    if (!choice?.model || !agent?.is_installed || create.isPending) return;
    remember("new-session", { agent: agentId, mode, network, ...choice } satisfies LastValues);
    create.mutate({
      agent: agentId,
      ...choice,
      mode,
      egress: network,
      ...(repository.url.trim() && { repository }),
      text: prompt.trim(),
    });
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key !== "Enter" || event.shiftKey || isTouch || isComposing(event)) return;
    event.preventDefault();
    submit();
  };

  return (
    <form
      data-testid="new-session-form"
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Field
        label="What should be done?"
        hint={`${isTouch ? "" : "Enter starts, Shift+Enter makes a new line. "}Without a prompt the session waits for one.`}
      >
        {(ids) => (
          <TextArea
            {...ids}
            name="prompt"
            rows={5}
            autoFocus
            value={prompt}
            placeholder="Write a small web app with a test and run it"
            onKeyDown={onKeyDown}
            onChange={(event) => saveDraft(DRAFT, event.target.value)}
            className="max-h-[40vh] min-h-28 [field-sizing:content]"
          />
        )}
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label="Agent">
          {(ids) => (
            <Select
              {...ids}
              name="agent"
              value={agentId}
              onChange={(event) => setAgentId(event.target.value)}
            >
              {agents.map(({ id, name, version, is_installed }) => (
                <option key={id} value={id}>
                  {name} {version}
                  {!is_installed && " (not installed)"}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <ModelField
          key={agentId}
          providers={providers}
          agent={agent}
          value={choice}
          onChange={(next) => setChosen((before) => withNewest(before, next))}
        />
      </div>
      {agent && <AgentFacts agent={agent} />}
      {isDemo && <DemoNote />}
      {provider?.enters_box && <BoxNote name={provider.name} />}
      {agent?.capabilities.modes !== false && <ModeField value={mode} onChange={setMode} />}
      <NetworkChoice
        {...network}
        loosest={bounds.loosest}
        canAsk={bounds.users_add_hosts}
        onChange={(change) => setNetwork({ ...network, ...change })}
      />
      <RepositoryField
        value={repository}
        error={create.error instanceof ApiError ? create.error.fieldErrors.repository : undefined}
        onChange={(change) => setRepository({ ...repository, ...change })}
      />
      {create.error && <FormError>{messageOf(create.error)}</FormError>}
      {/* Wherever the form is scrolled to, it can be sent. */}
      <div className="sticky bottom-0 flex justify-end border-border border-t bg-bg py-2.5">
        <Button
          look="primary"
          type="submit"
          disabled={!choice?.model || !agent?.is_installed || create.isPending}
          data-testid="start-session"
        >
          {create.isPending ? "Starting…" : "Start session"}
          <ArrowRight className="size-3.5" />
        </Button>
      </div>
    </form>
  );
}

/** What was chosen last, if the administrator still allows it. */
function firstNetwork(bounds: EgressBounds, last: Network | undefined): Network {
  const isAllowed = policiesUpTo(bounds.loosest).some(({ id }) => id === last?.policy);
  return last && isAllowed ? last : { policy: bounds.default_policy, ask: bounds.default_ask };
}

interface Creation extends ModelChoice {
  agent: string;
  mode: Mode;
  egress: Network;
  repository?: RepositoryWish;
  text: string;
}

/** Ids are made once per form: a second try after a lost answer finds what the first one made. */
function useCreateSession() {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const ids = useRef({ session: newId(), prompt: newId() });
  return useMutation({
    mutationFn: ({ text, ...session }: Creation) =>
      createSession({
        id: ids.current.session,
        ...session,
        ...(text && { prompt: { id: ids.current.prompt, text } }),
      }),
    onSuccess: async (session) => {
      saveDraft(DRAFT, "");
      queries.setQueryData(["session", session.id], session);
      void queries.invalidateQueries({ queryKey: ["sessions"] });
      await navigate({ to: "/sessions/$sessionId", params: { sessionId: session.id } });
    },
  });
}

function BoxNote({ name }: { name: string }) {
  return (
    <p
      data-testid="box-note"
      className="flex gap-2 rounded-md border border-border bg-sunken px-3 py-2 text-sm text-attention"
    >
      <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
      <span>
        {name} is put into the box of this session, as you agreed when you added it: whatever runs there can
        read it. What is used with it is not counted here.
      </span>
    </p>
  );
}

function DemoNote() {
  return (
    <p className="flex gap-2 rounded-md border border-border bg-sunken px-3 py-2 text-sm text-muted">
      <FlaskConical aria-hidden className="mt-0.5 size-4 shrink-0" />
      <span>
        The demo model is scripted: a real agent works in a real box, but its answers are written in advance
        and do not depend on what you ask.{" "}
        <Link to="/settings/$section" params={{ section: "keys" }} className="text-accent underline">
          Add a provider key
        </Link>{" "}
        to use a model that thinks.
      </span>
    </p>
  );
}

function ModeField({ value, onChange }: { value: Mode; onChange: (mode: Mode) => void }) {
  return (
    <fieldset>
      <legend className="mb-1 text-sm font-medium">Permission mode</legend>
      <div className="grid gap-2 sm:grid-cols-2">
        {MODES.map(({ id, label, description }) => (
          <label
            key={id}
            className="flex cursor-pointer gap-2 rounded-md border border-border bg-raised px-3 py-2 text-sm transition-ui hover:bg-hover has-checked:border-accent has-focus-visible:outline-2 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              name="mode"
              value={id}
              checked={value === id}
              onChange={() => onChange(id)}
              className="mt-1 size-3.5 shrink-0 accent-(--accent)"
            />
            <span>
              <span className="font-medium">{label}</span>
              <span className="block text-xs text-muted">{description}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
