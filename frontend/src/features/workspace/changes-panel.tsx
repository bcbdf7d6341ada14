// The agent's edits by file, with comments on their lines that go to it as one prompt. It says what it knows: commands
// may have changed more than that.
import { ChevronRight, Columns2, FileDiff as FileDiffIcon, FileText } from "lucide-react";
import { memo, useState } from "react";
import { Button, IconButton } from "@/components/button";
import { DiffCounts } from "@/components/diff-view";
import { Empty } from "@/components/states";
import { cn } from "@/lib/cn";
import { setPreference, usePreferences } from "@/lib/preferences";
import type { ChangedFile } from "./changes";
import { pathOfPlace, useReview } from "./review";
import { inWords, ReviewBar } from "./review-bar";
import { useDraftPlaces } from "./review-drafts";
import { useReviewKeys } from "./review-keys";
import { ReviewedDiff } from "./reviewed-diff";
import { useHasRoomForTwo } from "./use-room";

interface ChangesPanelProps {
  session: string;
  files: ChangedFile[];
  onOpenFile: (path: string) => void;
  onSendToAgent: (text: string) => void;
}

export const ChangesPanel = memo(function ChangesPanel(props: ChangesPanelProps) {
  const { session, files, onOpenFile } = props;
  return (
    <div className="flex h-full flex-col" data-testid="changes-panel">
      {files.length === 0 ? (
        <div className="min-h-0 flex-1">
          <Empty icon={<FileDiffIcon aria-hidden />}>The agent has not edited a file yet.</Empty>
        </div>
      ) : (
        <ChangedFiles session={session} files={files} onOpenFile={onOpenFile} />
      )}
      <ReviewBar session={session} onSendToAgent={props.onSendToAgent} />
    </div>
  );
});

/** What is listed here grows with every edit: nothing of it was ever seen for good. */
const NO_MARKS = { onViewed: () => {} };

function ChangedFiles({ session, files, onOpenFile }: Omit<ChangesPanelProps, "onSendToAgent">) {
  const [place, setPlace] = useState<HTMLDivElement | null>(null);
  const hasRoom = useHasRoomForTwo(place);
  const isWanted = usePreferences((preferences) => preferences.isDiffSplit);
  useReviewKeys(place, NO_MARKS);
  return (
    <div ref={setPlace} className="min-h-0 flex-1 overflow-y-auto">
      <div className="flex items-center gap-2 border-border border-b px-3 py-2 text-xs text-muted">
        <p className="min-w-0 flex-1">
          Edits that the agent made with its tools. What commands changed is not listed here.
        </p>
        {hasRoom && (
          <Button
            size="small"
            look="quiet"
            aria-pressed={isWanted}
            onClick={() => setPreference({ isDiffSplit: !isWanted })}
            data-testid="diff-split"
          >
            <Columns2 aria-hidden className="size-3.5" />
            {isWanted ? "One column" : "Side by side"}
          </Button>
        )}
      </div>
      <ul>
        {files.map((file) => (
          <ChangedFileView
            key={file.path}
            session={session}
            file={file}
            isSplit={hasRoom && isWanted}
            onOpen={() => onOpenFile(file.path)}
          />
        ))}
      </ul>
    </div>
  );
}

interface ChangedFileViewProps {
  session: string;
  file: ChangedFile;
  isSplit: boolean;
  onOpen: () => void;
}

function ChangedFileView({ session, file, isSplit, onOpen }: ChangedFileViewProps) {
  const comments = useReview(session).filter(({ path }) => path === file.path).length;
  const isBegun = useDraftPlaces(session).some((place) => pathOfPlace(place) === file.path);
  // What is half-written is seen again when somebody comes back.
  const [isOpen, setIsOpen] = useState(isBegun);
  return (
    <li className="border-border border-b" data-testid="changed-file" data-path={file.path}>
      <div className="flex h-8 items-center gap-1 pr-1 max-md:h-12">
        <button
          type="button"
          data-review-file=""
          aria-expanded={isOpen}
          onClick={() => setIsOpen(!isOpen)}
          className="-outline-offset-2 flex h-full min-w-0 flex-1 items-center gap-1.5 px-2 text-left hover:bg-hover"
        >
          <ChevronRight
            aria-hidden
            className={cn("size-3.5 shrink-0 text-faint transition-ui", isOpen && "rotate-90")}
          />
          <span className="min-w-0 flex-1 truncate font-mono text-xs">{file.path}</span>
          {file.edits.length > 1 && (
            <span className="shrink-0 text-xs text-faint">{file.edits.length} edits</span>
          )}
          {comments > 0 && <span className="shrink-0 text-xs text-attention">{inWords(comments)}</span>}
          {isBegun && !isOpen && <span className="shrink-0 text-xs text-attention">unfinished comment</span>}
          <DiffCounts additions={file.additions} deletions={file.deletions} />
        </button>
        <IconButton label={`Open ${file.path}`} small onClick={onOpen}>
          <FileText className="size-3.5" />
        </IconButton>
      </div>
      {isOpen &&
        file.edits.map(({ seq, diff }, index) => (
          <div key={`${seq}-${index}`} className="border-border border-t">
            {file.edits.length > 1 && <p className="px-3 py-1 text-xs text-muted">Edit {index + 1}</p>}
            <ReviewedDiff
              session={session}
              path={file.path}
              patch={diff.patch}
              place={`${file.path}#${seq}.${index}`}
              isSplit={isSplit}
            />
          </div>
        ))}
    </li>
  );
}
