// Every changed file of the workspace, whoever changed it, in its folders; what was seen is marked and folded.
import { useQuery } from "@tanstack/react-query";
import { Columns2, FileDiff as FileDiffIcon, RefreshCw, Space } from "lucide-react";
import { useState } from "react";
import { IconButton } from "@/components/button";
import { DiffCounts } from "@/components/diff-view";
import { Input } from "@/components/form";
import { Problem, Skeleton } from "@/components/states";
import { RelativeTime } from "@/components/time";
import { changesQuery } from "@/lib/api/changes";
import { isCode, messageOf } from "@/lib/api/errors";
import type { ChangeBase, ChangedFile, ChangeList } from "@/lib/api/types";
import { setPreference, usePreferences } from "@/lib/preferences";
import { LookAgain } from "./look-again";
import { parentOf } from "./paths";
import { useReviewKeys } from "./review-keys";
import { useRefreshOnChange } from "./use-refresh";
import { useHasRoomForTwo } from "./use-room";
import { isViewed, setViewed, useViewed } from "./viewed";
import { WorkspaceFile } from "./workspace-file";

interface WorkspaceChangesProps {
  session: string;
  base: ChangeBase;
  changes: number;
  onOpenFile: (path: string) => void;
}

const KINDS = ["changes"] as const;
/** Fewer need no filter. */
const MANY = 8;

export function WorkspaceChanges({ session, base, changes, onOpenFile }: WorkspaceChangesProps) {
  useRefreshOnChange(session, changes, KINDS);
  const query = useQuery(changesQuery(session, base));
  if (query.isPending) {
    return (
      <>
        {isCode(query.failureReason, "busy") && (
          <p className="px-3 py-2 text-sm text-muted" role="status">
            The workspace is being looked through.
          </p>
        )}
        <Skeleton lines={6} />
      </>
    );
  }
  if (query.error) return <ChangesProblem error={query.error} onRetry={() => query.refetch()} />;
  return (
    <ListedChanges
      session={session}
      base={base}
      list={query.data}
      isLooking={query.isFetching}
      onLook={() => void query.refetch()}
      onOpenFile={onOpenFile}
    />
  );
}

function ChangesProblem({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  if (!isCode(error, "unavailable")) {
    return <Problem what="The changes could not be read" error={error} onRetry={onRetry} />;
  }
  return (
    <LookAgain icon={<FileDiffIcon aria-hidden />} onLook={onRetry}>
      {messageOf(error)}
    </LookAgain>
  );
}

interface ListedChangesProps {
  session: string;
  base: ChangeBase;
  list: ChangeList;
  isLooking: boolean;
  onLook: () => void;
  onOpenFile: (path: string) => void;
}

function ListedChanges({ session, base, list, isLooking, onLook, onOpenFile }: ListedChangesProps) {
  const [place, setPlace] = useState<HTMLDivElement | null>(null);
  const hasRoom = useHasRoomForTwo(place);
  const { isDiffSplit, isSpaceIgnored } = usePreferences();
  const [filter, setFilter] = useState("");
  const viewed = useViewed(session);
  const files = list.files.filter(({ path }) => path.toLowerCase().includes(filter.toLowerCase()));
  const toggle = (path: string) => {
    const file = list.files.find((candidate) => candidate.path === path);
    if (file) setViewed(session, file, !isViewed(viewed, file));
  };
  useReviewKeys(place, { onViewed: toggle });
  return (
    <div ref={setPlace} tabIndex={-1} className="h-full overflow-y-auto outline-none">
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1 border-border border-b px-3 py-1.5 text-xs text-muted">
        <Summary list={list} seen={list.files.filter((file) => isViewed(viewed, file)).length} />
        <IconButton
          label={isSpaceIgnored ? "Show changes of spaces" : "Hide changes of spaces"}
          small
          aria-pressed={isSpaceIgnored}
          onClick={() => setPreference({ isSpaceIgnored: !isSpaceIgnored })}
          className={isSpaceIgnored ? "text-accent" : undefined}
        >
          <Space className="size-3.5" />
        </IconButton>
        {hasRoom && (
          <IconButton
            label={isDiffSplit ? "One column" : "Side by side"}
            keys={[isDiffSplit ? "U" : "S"]}
            small
            aria-pressed={isDiffSplit}
            onClick={() => setPreference({ isDiffSplit: !isDiffSplit })}
            className={isDiffSplit ? "text-accent" : undefined}
            data-testid="diff-split"
          >
            <Columns2 className="size-3.5" />
          </IconButton>
        )}
        <IconButton label="Look again" small disabled={isLooking} onClick={onLook} data-testid="look-again">
          <RefreshCw className="size-3.5" />
        </IconButton>
      </div>
      {list.files.length > MANY && (
        <div className="border-border border-b px-3 py-1.5">
          <Input
            type="search"
            aria-label="Filter files"
            placeholder="Filter files"
            value={filter}
            onChange={(event) => setFilter(event.target.value)}
          />
        </div>
      )}
      <Folders files={files}>
        {(file) => (
          <WorkspaceFile
            key={file.path}
            session={session}
            base={base}
            file={file}
            isSeen={isViewed(viewed, file)}
            onSeen={() => toggle(file.path)}
            isSplit={hasRoom && isDiffSplit}
            ignoreSpace={isSpaceIgnored}
            onOpen={() => onOpenFile(file.path)}
          />
        )}
      </Folders>
    </div>
  );
}

function Summary({ list, seen }: { list: ChangeList; seen: number }) {
  const count = (kind: "additions" | "deletions") =>
    list.files.reduce((sum, file) => sum + (file[kind] ?? 0), 0);
  if (list.total === 0) return <p className="min-w-0 flex-1">Nothing has changed.</p>;
  return (
    <p className="min-w-0 flex-1" data-testid="changes-summary">
      {list.total === 1 ? "1 file" : `${list.total} files`}{" "}
      <DiffCounts additions={count("additions")} deletions={count("deletions")} />
      {list.since && (
        <>
          {", compared with what it was "}
          <RelativeTime at={list.since} />
        </>
      )}
      {seen > 0 && `, ${seen} viewed`}
      {list.total > list.files.length && `; the first ${list.files.length} are listed`}
      {list.unread > 0 && `; ${list.unread} could not be read`}
    </p>
  );
}

interface FoldersProps {
  files: ChangedFile[];
  children: (file: ChangedFile) => React.ReactNode;
}

/** The files below the names of their folders, those of the workspace itself first. */
function Folders({ files, children }: FoldersProps) {
  const folders = new Map<string, ChangedFile[]>();
  for (const file of files) {
    const folder = parentOf(file.path);
    folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  const inOrder = [...folders].sort(([a], [b]) => a.localeCompare(b));
  return (
    <ul>
      {inOrder.map(([folder, inside]) => (
        <li key={folder}>
          {folder && (
            <p className="truncate border-border border-b bg-sunken px-3 py-0.5 font-mono text-2xs text-muted">
              {folder}/
            </p>
          )}
          <ul>{inside.map(children)}</ul>
        </li>
      ))}
    </ul>
  );
}
