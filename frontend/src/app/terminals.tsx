// The terminals of a session in its panel, with what they need of the rest of the page.
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Suspense } from "react";
import { ErrorBoundary } from "@/components/error-boundary";
import { Skeleton } from "@/components/states";
import { agentsQuery } from "@/lib/api/keys";
import type { Terminal } from "@/lib/api/types";
import { useLiveSession } from "@/lib/live/session-store";
import { TerminalPanel } from "./lazy-terminals";
import { useSendToAgent } from "./use-send-to-agent";

const NONE: Terminal[] = [];

export function Terminals({ id }: { id: string }) {
  const { terminal } = useSearch({ from: "/sessions/$sessionId" });
  const navigate = useNavigate();
  const terminals = useLiveSession(id, (live) => live.state?.terminals ?? NONE);
  const isAsleep = useLiveSession(id, (live) => live.state?.session.instance?.state !== "ready");
  const agents = useQuery(agentsQuery).data;
  const agentId = useLiveSession(id, (live) => live.state?.session.agent);
  const agent = agents?.find((one) => one.id === agentId && one.capabilities.screen);
  const choose = (chosen: string | undefined) =>
    void navigate({
      to: "/sessions/$sessionId",
      params: { sessionId: id },
      search: { panel: "terminal", ...(chosen && { terminal: chosen }) },
      replace: true,
    });
  const sendToAgent = useSendToAgent(id);
  return (
    <ErrorBoundary name="The terminal">
      <Suspense fallback={<Skeleton lines={6} />}>
        <TerminalPanel
          session={id}
          terminals={terminals}
          chosen={terminal}
          onChoose={choose}
          isAsleep={isAsleep}
          agent={agent?.name}
          onSendToAgent={sendToAgent}
        />
      </Suspense>
    </ErrorBoundary>
  );
}
