// What can be said about a host: for now, for this session, or for good, and what each of these means.
import { Button } from "@/components/button";
import type { PermissionAnswer } from "@/lib/api/types";

interface EgressChoicesProps {
  isBusy: boolean;
  onChoose: (choice: PermissionAnswer["choice"]) => void;
}

export function EgressChoices({ isBusy, onChoose }: EgressChoicesProps) {
  return (
    <div className="border-border border-t px-3 py-2">
      <div className="flex flex-wrap items-center justify-end gap-2">
        <Button
          look="danger"
          disabled={isBusy}
          onClick={() => onChoose("reject")}
          data-testid="permission-reject"
        >
          Not now
        </Button>
        <Button
          look="danger"
          disabled={isBusy}
          onClick={() => onChoose("never")}
          data-testid="permission-never"
          className="mr-auto"
        >
          Never
        </Button>
        <Button disabled={isBusy} onClick={() => onChoose("always")} data-testid="permission-always">
          Always
        </Button>
        <Button disabled={isBusy} onClick={() => onChoose("session")} data-testid="permission-session">
          This session
        </Button>
        <Button
          look="primary"
          disabled={isBusy}
          onClick={() => onChoose("once")}
          data-testid="permission-once"
        >
          {isBusy ? "Sending…" : "Once"}
        </Button>
      </div>
      <p className="mt-1.5 text-xs text-muted">
        “Once” is for a minute, “This session” until you remove it under Network. “Always” and “Never” hold in
        all your sessions until you change that in the settings. Whatever the box can read can be sent to a
        host that you allow.
      </p>
    </div>
  );
}
