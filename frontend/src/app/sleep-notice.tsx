// Says beside the connection when an idle session falls asleep, with the button that keeps it awake.
import { Button } from "@/components/button";
import { useSessionChange } from "@/features/sessions/session-actions";
import { keepSession, letSessionSleep } from "@/lib/api/sessions";
import type { Session } from "@/lib/api/types";
import { useIsOutdated } from "@/lib/live/session-store";
import { keptWords, sleepWords } from "@/lib/sleep";
import { useHalfMinutes } from "@/lib/time";

export function SleepNotice({ id, session }: { id: string; session: Session }) {
  useHalfMinutes();
  const isOutdated = useIsOutdated(id);
  const change = useSessionChange();
  const kept = keptWords(session);
  const sleeps = sleepWords(session);
  if (isOutdated || (kept === null && sleeps === null)) return null;
  return (
    <span className="flex min-w-0 items-center gap-1 text-muted" data-testid="sleep-notice">
      <span className="truncate">{kept ?? sleeps}</span>
      <Button
        look="quiet"
        size="small"
        onClick={() => change(() => (kept ? letSessionSleep(session.id) : keepSession(session.id)))}
      >
        {kept ? "Let it sleep" : "Keep for 1 h"}
      </Button>
    </span>
  );
}
