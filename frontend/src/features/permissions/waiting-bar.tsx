// What waits for an answer while its card is off the screen: a bar above the composer; on a phone the card itself.
import { ArrowDown, TriangleAlert } from "lucide-react";
import { Button } from "@/components/button";
import { useIsPhone } from "@/lib/media";
import { type Ask, askerOf, headingOf, summaryOf } from "./ask";
import { useIsOnScreen } from "./on-screen";
import { PermissionCard, showCard } from "./permission-card";

interface WaitingBarProps {
  asks: Ask[];
  agent: string;
  me: string;
}

export function WaitingBar({ asks, agent, me }: WaitingBarProps) {
  const isPhone = useIsPhone();
  const [first] = asks;
  const isVisible = useIsOnScreen(first?.id ?? "");
  if (!first || isVisible) return null;
  if (isPhone) {
    return (
      <div className="max-h-[55dvh] overflow-y-auto pb-2" data-testid="waiting-bar">
        <PermissionCard ask={first} agent={agent} me={me} isCopy />
      </div>
    );
  }
  return (
    <div
      data-testid="waiting-bar"
      className="mb-2 flex min-w-0 items-center gap-2 rounded-md border border-attention-border bg-attention-soft py-1 pr-1 pl-3 text-sm"
    >
      <TriangleAlert aria-hidden className="size-3.5 shrink-0 text-attention" />
      <span className="shrink-0 font-medium">
        {askerOf(first, agent)} {headingOf(first)}
      </span>
      <span className="min-w-0 flex-1 truncate font-mono text-xs">{summaryOf(first)}</span>
      {asks.length > 1 && <span className="shrink-0 text-xs text-muted">and {asks.length - 1} more</span>}
      <Button size="small" onClick={() => showCard(first.id)}>
        <ArrowDown className="size-3.5" />
        Show
      </Button>
    </div>
  );
}
