// The agent's plan, pinned above the conversation: how far it is, all steps on request.
import { Ban, Check, ChevronRight, Circle, CircleDot, ListTodo } from "lucide-react";
import { useState } from "react";
import { cn } from "@/lib/cn";
import type { PlanEntry } from "@/protocol/events";

type StepStatus = NonNullable<PlanEntry["status"]>;

const MARKS: Record<StepStatus, { icon: typeof Check; tone: string; words: string }> = {
  pending: { icon: Circle, tone: "text-faint", words: "to do" },
  in_progress: { icon: CircleDot, tone: "text-running", words: "in progress" },
  completed: { icon: Check, tone: "text-ok", words: "done" },
  cancelled: { icon: Ban, tone: "text-faint", words: "dropped" },
};

export function PlanBar({ plan }: { plan: PlanEntry[] }) {
  const [isOpen, setIsOpen] = useState(false);
  if (plan.length === 0) return null;
  const done = plan.filter((step) => step.status === "completed" || step.status === "cancelled").length;
  const current = plan.find((step) => step.status === "in_progress");
  return (
    <section aria-label="Plan" data-testid="plan" className="shrink-0 border-border border-b bg-bg">
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setIsOpen(!isOpen)}
        className="flex h-8 w-full min-w-0 items-center gap-2 px-4 text-sm hover:bg-hover max-md:h-11"
      >
        <ChevronRight
          aria-hidden
          className={cn("size-3.5 shrink-0 text-faint transition-ui", isOpen && "rotate-90")}
        />
        <ListTodo aria-hidden className="size-3.5 shrink-0 text-muted" />
        <span className="shrink-0 font-medium">
          Plan {done}/{plan.length}
        </span>
        <span className="truncate text-muted">{current?.content}</span>
      </button>
      {isOpen && (
        <ol className="max-h-[40vh] overflow-y-auto px-4 pb-2">
          {plan.map((step, index) => (
            <PlanStep key={index} step={step} />
          ))}
        </ol>
      )}
    </section>
  );
}

function PlanStep({ step }: { step: PlanEntry }) {
  const { icon: Icon, tone, words } = MARKS[step.status ?? "pending"];
  return (
    <li className="flex items-start gap-2 py-0.5 text-sm" data-status={step.status ?? "pending"}>
      <Icon aria-hidden className={cn("mt-0.75 size-3.5 shrink-0", tone)} />
      <span className="sr-only">{words}:</span>
      <span
        className={cn(
          step.status === "cancelled" && "text-faint line-through",
          step.status === "completed" && "text-muted",
        )}
      >
        {step.content}
      </span>
    </li>
  );
}
