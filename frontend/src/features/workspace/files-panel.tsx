// The files of the workspace: folders to open, one file to read, any to download.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import {
  ChevronRight,
  CornerLeftUp,
  File,
  FileQuestion,
  FileSymlink,
  Folder,
  LoaderCircle,
  Moon,
  RefreshCw,
} from "lucide-react";
import { Button, IconButton } from "@/components/button";
import { Empty, Skeleton } from "@/components/states";
import { filesQuery } from "@/lib/api/files";
import type { FileEntry, Session } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { formatSize } from "@/lib/sizes";
import { DiskLine } from "./disk-line";
import type { LinePlace } from "./file-lines";
import { FileView } from "./file-view";
import { FilesProblem } from "./files-problem";
import { parentOf } from "./paths";
import { useRefreshOnChange } from "./use-refresh";

const KINDS = ["files", "file"] as const;

interface FilesPanelProps {
  session: string;
  /** The open folder or file; empty is the workspace itself. */
  path: string;
  isFile: boolean;
  onOpen: (path: string, isFile: boolean) => void;
  place: LinePlace;
  /** Grows whenever the log tells that files changed. */
  changes: number;
  /** Files can be read only while the box is ready. */
  box: "ready" | "starting" | "asleep";
  onWake: () => void;
  disk: Session["disk"];
}

export function FilesPanel(props: FilesPanelProps) {
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="min-h-0 flex-1">
        <Content {...props} />
      </div>
      {props.disk && <DiskLine disk={props.disk} />}
    </div>
  );
}

function Content(props: FilesPanelProps) {
  const { session, path, isFile, onOpen, place, changes, box, onWake } = props;
  useRefreshOnChange(session, changes, KINDS);
  if (box === "starting") {
    return (
      <Empty icon={<LoaderCircle aria-hidden className="motion-safe:animate-spin" />}>
        The box is starting.
      </Empty>
    );
  }
  if (box === "asleep") {
    return (
      <Empty
        icon={<Moon aria-hidden />}
        action={
          <Button size="small" onClick={onWake}>
            Start the box
          </Button>
        }
      >
        The session is asleep. Its files are kept; start the box or send a prompt to look at them.
      </Empty>
    );
  }
  return (
    <div className="flex h-full min-h-0 flex-col" data-testid="files-panel">
      <Crumbs path={path} session={session} onOpen={onOpen} />
      <div className="min-h-0 flex-1 overflow-auto">
        {isFile ? (
          <FileView key={path} session={session} path={path} place={place} />
        ) : (
          <FolderView session={session} path={path} onOpen={onOpen} />
        )}
      </div>
    </div>
  );
}

/** What the agent writes shows up, at most once a second. */
interface CrumbsProps {
  session: string;
  path: string;
  onOpen: (path: string, isFile: boolean) => void;
}

function Crumbs({ session, path, onOpen }: CrumbsProps) {
  const queries = useQueryClient();
  const parts = path ? path.split("/") : [];
  const refresh = () => {
    void queries.invalidateQueries({ queryKey: ["files", session] });
    void queries.invalidateQueries({ queryKey: ["file", session] });
  };
  return (
    <div className="flex h-9 shrink-0 items-center gap-1 border-border border-b pr-1 pl-2 max-md:h-12">
      <nav aria-label="Path" className="flex min-w-0 flex-1 items-center overflow-x-auto text-xs">
        <Button look="quiet" size="small" onClick={() => onOpen("", false)}>
          workspace
        </Button>
        {parts.map((part, index) => (
          <span key={index} className="flex items-center">
            <ChevronRight aria-hidden className="size-3 shrink-0 text-faint" />
            {index < parts.length - 1 ? (
              <Button
                look="quiet"
                size="small"
                onClick={() => onOpen(parts.slice(0, index + 1).join("/"), false)}
              >
                {part}
              </Button>
            ) : (
              <span aria-current="page" className="whitespace-nowrap px-2 font-medium">
                {part}
              </span>
            )}
          </span>
        ))}
      </nav>
      <IconButton label="Look again" small onClick={refresh}>
        <RefreshCw className="size-3.5" />
      </IconButton>
    </div>
  );
}

const ICONS = { dir: Folder, file: File, link: FileSymlink, other: FileQuestion };

interface FolderViewProps {
  session: string;
  path: string;
  onOpen: (path: string, isFile: boolean) => void;
}

function FolderView({ session, path, onOpen }: FolderViewProps) {
  const query = useQuery(filesQuery(session, path));
  if (query.isPending) return <Skeleton lines={6} />;
  if (query.error) return <FilesProblem error={query.error} onRetry={() => query.refetch()} />;
  const { entries, truncated } = query.data;
  return (
    <>
      <ul className="p-1">
        {path && (
          <li>
            <EntryButton onClick={() => onOpen(parentOf(path), false)}>
              <CornerLeftUp aria-hidden className="size-3.5 text-muted" />
              <span className="text-muted">up</span>
            </EntryButton>
          </li>
        )}
        {entries.map((entry) => (
          <Entry
            key={entry.name}
            entry={entry}
            onOpen={() => onOpen(path ? `${path}/${entry.name}` : entry.name, entry.type !== "dir")}
          />
        ))}
      </ul>
      {entries.length === 0 && <p className="px-4 py-2 text-sm text-muted">This folder is empty.</p>}
      {truncated && (
        <p className="px-4 pb-3 text-xs text-muted">There are more files than can be listed here.</p>
      )}
    </>
  );
}

function Entry({ entry, onOpen }: { entry: FileEntry; onOpen: () => void }) {
  const Icon = ICONS[entry.type];
  const canOpen = entry.type === "dir" || entry.type === "file";
  return (
    <li data-testid="file-entry" data-type={entry.type} data-name={entry.name}>
      <EntryButton onClick={onOpen} disabled={!canOpen}>
        <Icon
          aria-hidden
          className={cn("size-3.5 shrink-0", entry.type === "dir" ? "text-accent" : "text-muted")}
        />
        <span className="min-w-0 flex-1 truncate">{entry.name}</span>
        {entry.type === "file" && (
          <span className="shrink-0 text-xs text-faint">{formatSize(entry.size)}</span>
        )}
        {entry.type === "link" && <span className="shrink-0 text-xs text-faint">link</span>}
      </EntryButton>
    </li>
  );
}

function EntryButton({
  disabled,
  onClick,
  children,
}: {
  disabled?: boolean;
  onClick: () => void;
  children: React.ReactNode;
}) {
  return (
    <button
      type="button"
      disabled={disabled}
      onClick={onClick}
      className="flex h-7 w-full min-w-0 items-center gap-2 rounded-md px-2 text-left font-mono text-xs transition-ui not-disabled:hover:bg-hover disabled:text-muted max-md:h-11"
    >
      {children}
    </button>
  );
}
