// A turn that its provider refused for a while: to go on with it at the time that the provider named.
import { AlarmClock } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/components/button";
import { messageOf } from "@/lib/api/errors";
import { sendPrompt } from "@/lib/api/sessions";
import type { Prompt } from "@/lib/api/types";
import { newId } from "@/lib/id";
import { useLiveSession } from "@/lib/live/session-store";
import { serverNow } from "@/lib/server-clock";
import { timeOfDay, useSeconds } from "@/lib/time";
import { useTranscript } from "./context";

const TEXT = "The model provider had refused a call for a while. Go on where you stopped.";
const NONE: Prompt[] = [];

export function GoOnLater({ at }: { at: string }) {
  const { session } = useTranscript();
  const prompts = useLiveSession(session, (live) => live.state?.prompts ?? NONE);
  const [isBusy, setIsBusy] = useState(false);
  useSeconds();
  const due = Date.parse(at);
  // Whatever waits already goes first, or goes on itself.
  if (!(due > serverNow()) || prompts.length > 0) return null;
  const arrange = async () => {
    setIsBusy(true);
    await sendPrompt(session, { id: newId(), text: TEXT, due_at: at }).catch((error) =>
      toast.error(messageOf(error)),
    );
    setIsBusy(false);
  };
  return (
    <Button size="small" look="quiet" disabled={isBusy} onClick={arrange} data-testid="go-on-later">
      <AlarmClock className="size-3" />
      Go on at {timeOfDay(at)}
    </Button>
  );
}
