// A box that is starting: its steps by name, with the times that they took.
import { Check, Circle, LoaderCircle } from "lucide-react";
import { Button } from "@/components/button";
import type { Instance } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { duration } from "@/lib/time";

const REQUESTED = { name: "requested", done: "Asked for a box", current: "Asking for a box" };
/** Only of those that had to. */
const WAITING = {
  name: "waiting",
  done: "Waited for a place",
  current: "Waiting for a place: others start first, or no more may be live",
};
const MADE = [
  { name: "image", done: "Image found", current: "Looking for the image" },
  { name: "volume", done: "Disk ready", current: "Preparing the disk" },
  { name: "created", done: "Box made", current: "Making the box" },
  { name: "sidecar", done: "Sidecar connected", current: "Connecting the sidecar" },
  { name: "box", done: "Box connected", current: "Connecting the box" },
];
/** Only of sessions with one. */
const REPOSITORY = { name: "repository", done: "Repository ready", current: "Cloning the repository" };
const STARTED = [
  { name: "agent", done: "Agent started", current: "Starting the agent" },
  { name: "ready", done: "Ready", current: "Getting ready" },
];

interface StartStagesProps {
  instance: Instance | null;
  hasRepository?: boolean;
  onCancel: () => void;
}

export function StartStages({ instance, hasRepository = false, onCancel }: StartStagesProps) {
  const reached = new Map((instance?.stages ?? []).map((stage) => [stage.name, stage.elapsed_ms]));
  const stages = [
    REQUESTED,
    ...(reached.has("waiting") ? [WAITING] : []),
    ...MADE,
    ...(hasRepository ? [REPOSITORY] : []),
    ...STARTED,
  ];
  const isWaiting = reached.has("waiting") && instance?.state === "requested";
  const last = isWaiting ? 0 : stages.findLastIndex((stage) => reached.has(stage.name));
  return (
    <article
      aria-label="Starting the box"
      data-testid="start-stages"
      className="measure rounded-md border border-border px-3 py-2"
    >
      <div className="flex items-center justify-between">
        <h2 className="text-sm font-medium">Starting the box</h2>
        <Button look="quiet" size="small" onClick={onCancel}>
          Cancel
        </Button>
      </div>
      <ol className="mt-1">
        {stages.map((stage, index) => (
          <Stage
            key={stage.name}
            words={index <= last ? stage.done : stage.current}
            state={index <= last ? "done" : index === last + 1 ? "current" : "ahead"}
            progress={index === last + 1 ? (instance?.progress ?? "") : ""}
            elapsed={reached.get(stage.name) ?? null}
          />
        ))}
      </ol>
    </article>
  );
}

interface StageProps {
  words: string;
  state: "done" | "current" | "ahead";
  /** How far it is, while it is under way. */
  progress: string;
  elapsed: number | null;
}

function Stage({ words, state, progress, elapsed }: StageProps) {
  const Icon = state === "done" ? Check : state === "current" ? LoaderCircle : Circle;
  return (
    <li
      data-state={state}
      className={cn("flex h-6 items-center gap-2 text-sm", state === "ahead" && "text-faint")}
    >
      <Icon
        aria-hidden
        className={cn(
          "size-3.5",
          state === "done" && "text-ok",
          state === "current" && "text-running motion-safe:animate-spin",
        )}
      />
      <span className="flex-1">{words}</span>
      {progress && <span className="text-xs text-muted">{progress}</span>}
      {elapsed !== null && <span className="text-xs text-faint">{duration(elapsed)}</span>}
    </li>
  );
}
