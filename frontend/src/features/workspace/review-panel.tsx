// The changes of a session: all of them since it began or since its last turn, or only the agent's own edits.
import { LoaderCircle, Moon } from "lucide-react";
import { memo } from "react";
import { Button } from "@/components/button";
import { Select } from "@/components/form";
import { Empty } from "@/components/states";
import { type ChangesView, setPreference, usePreferences } from "@/lib/preferences";
import type { ChangedFile } from "./changes";
import { ChangesPanel } from "./changes-panel";
import { ReviewBar } from "./review-bar";
import { WorkspaceChanges } from "./workspace-changes";

interface ReviewPanelProps {
  session: string;
  /** What the agent edited with its tools. */
  edits: ChangedFile[];
  /** Grows whenever the log tells that files changed. */
  changes: number;
  /** The workspace can be looked at only while the box is ready. */
  box: "ready" | "starting" | "asleep";
  onWake: () => void;
  onOpenFile: (path: string) => void;
  onSendToAgent: (text: string) => void;
}

const VIEWS: Record<ChangesView, string> = {
  start: "All since the session began",
  turn: "All since the last prompt",
  edits: "The agent's own edits",
};

export const ReviewPanel = memo(function ReviewPanel(props: ReviewPanelProps) {
  const view = usePreferences((preferences) => preferences.changesView);
  const { session, onOpenFile, onSendToAgent } = props;
  return (
    <div className="flex h-full flex-col">
      <div className="flex shrink-0 items-center border-border border-b px-3 py-1.5">
        <Select
          aria-label="Which changes"
          value={view}
          onChange={(event) => setPreference({ changesView: event.target.value as ChangesView })}
          data-testid="changes-view"
        >
          {Object.entries(VIEWS).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </Select>
      </div>
      <div className="min-h-0 flex-1">
        {view === "edits" ? (
          <ChangesPanel
            session={session}
            files={props.edits}
            onOpenFile={onOpenFile}
            onSendToAgent={onSendToAgent}
          />
        ) : (
          <div className="flex h-full flex-col" data-testid="changes-panel">
            <div className="min-h-0 flex-1">
              {props.box === "ready" ? (
                <WorkspaceChanges
                  key={`${session} ${view}`}
                  session={session}
                  base={view}
                  changes={props.changes}
                  onOpenFile={onOpenFile}
                />
              ) : (
                <NoBox isStarting={props.box === "starting"} onWake={props.onWake} />
              )}
            </div>
            <ReviewBar session={session} onSendToAgent={onSendToAgent} />
          </div>
        )}
      </div>
    </div>
  );
});

function NoBox({ isStarting, onWake }: { isStarting: boolean; onWake: () => void }) {
  if (isStarting) {
    return (
      <Empty icon={<LoaderCircle aria-hidden className="motion-safe:animate-spin" />}>
        The box is starting.
      </Empty>
    );
  }
  return (
    <Empty
      icon={<Moon aria-hidden />}
      action={
        <div className="flex flex-wrap justify-center gap-2">
          <Button size="small" onClick={onWake}>
            Start the box
          </Button>
          <Button size="small" look="quiet" onClick={() => setPreference({ changesView: "edits" })}>
            Show the agent's edits
          </Button>
        </div>
      }
    >
      The session is asleep. Its changes are kept; start the box or send a prompt to look at them.
    </Empty>
  );
}
