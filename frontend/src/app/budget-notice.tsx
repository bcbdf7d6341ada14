// Says above the composer that a budget of this session is used up, or nearly, and who can raise it.
import { Link } from "@tanstack/react-router";
import { CircleAlert } from "lucide-react";
import type { SessionState } from "@/lib/api/types";
import { cn } from "@/lib/cn";

export function BudgetNotice({ budgets }: { budgets: SessionState["budgets"] }) {
  const [worst] = [...budgets].sort(
    (one, other) => Number(other.level === "hard") - Number(one.level === "hard"),
  );
  if (!worst) return null;
  const isOver = worst.level === "hard";
  return (
    <p
      role="status"
      data-testid="budget-notice"
      data-level={worst.level}
      className={cn(
        "mb-2 flex items-start gap-2 rounded-md border px-3 py-1.5 text-xs",
        isOver ? "border-bad-border bg-bad-soft" : "border-attention-border bg-attention-soft",
      )}
    >
      <CircleAlert
        aria-hidden
        className={cn("mt-0.5 size-3.5 shrink-0", isOver ? "text-bad" : "text-attention")}
      />
      <span className="min-w-0 [overflow-wrap:anywhere]">
        {worst.message} {isOver && "Prompts wait, and go on by themselves then. "}
        <Link to="/settings/$section" params={{ section: "usage" }} className="text-accent underline">
          Usage and budgets
        </Link>
      </span>
    </p>
  );
}
