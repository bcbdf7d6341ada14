// One changed file: how it differs when it is opened, whether it was seen, and the way back to what it was.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, ChevronRight, Copy, Ellipsis, FileText, Undo2, UnfoldVertical } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { Button, IconButton } from "@/components/button";
import { Confirm } from "@/components/dialog";
import { DiffCounts } from "@/components/diff-view";
import { Menu, MenuItem } from "@/components/menu";
import { Problem, Skeleton } from "@/components/states";
import { changeDiffQuery, revertChange } from "@/lib/api/changes";
import { messageOf } from "@/lib/api/errors";
import type { ChangeBase, ChangedFile } from "@/lib/api/types";
import { copyText } from "@/lib/clipboard";
import { cn } from "@/lib/cn";
import { visible } from "@/lib/visible";
import { LineComment } from "./line-comments";
import { pathOfPlace, removeComment, useReview } from "./review";
import { inWords } from "./review-bar";
import { useDraftPlaces } from "./review-drafts";
import { ReviewedDiff } from "./reviewed-diff";

const USUAL_LINES = 3;
const ALL_LINES = 1_000_000;
const UNDO_MS = 15_000;

const LETTERS: Record<ChangedFile["status"], string> = {
  added: "A",
  modified: "M",
  deleted: "D",
  renamed: "R",
  retyped: "T",
};

interface WorkspaceFileProps {
  session: string;
  base: ChangeBase;
  file: ChangedFile;
  isSeen: boolean;
  onSeen: () => void;
  isSplit: boolean;
  ignoreSpace: boolean;
  onOpen: () => void;
}

export function WorkspaceFile(props: WorkspaceFileProps) {
  const { session, base, file, isSeen, onSeen, onOpen } = props;
  const place = `${file.path}#${base}.${file.version}`;
  const comments = useReview(session).filter(({ path }) => path === file.path);
  const isBegun = useDraftPlaces(session).some((draft) => pathOfPlace(draft) === file.path);
  const [isOpen, setIsOpen] = useState(isBegun);
  const [isWhole, setIsWhole] = useState(false);
  const [isAsking, setIsAsking] = useState(false);
  const revert = useRevert(session, base, file);
  const copyPatch = useCopyPatch(session, base, file);
  const [wasSeen, setWasSeen] = useState(isSeen);
  if (wasSeen !== isSeen) {
    setWasSeen(isSeen);
    if (isSeen) setIsOpen(false);
  }
  return (
    <li className="border-border border-b" data-testid="changed-file" data-path={file.path}>
      <div className={cn("flex h-8 items-center gap-1 pr-1 max-md:h-12", isSeen && "bg-sunken")}>
        <button
          type="button"
          data-review-file={isSeen ? "seen" : ""}
          aria-expanded={isOpen}
          title={visible(file.path)}
          onClick={() => setIsOpen(!isOpen)}
          className="-outline-offset-2 flex h-full min-w-0 flex-1 items-center gap-1.5 px-2 text-left hover:bg-hover"
        >
          <ChevronRight
            aria-hidden
            className={cn("size-3.5 shrink-0 text-faint transition-ui", isOpen && "rotate-90")}
          />
          <Names file={file} />
          {comments.length > 0 && (
            <span className="shrink-0 text-xs text-attention">{inWords(comments.length)}</span>
          )}
          {isBegun && !isOpen && <span className="shrink-0 text-xs text-attention">unfinished comment</span>}
          {file.additions !== null && file.deletions !== null && (
            <DiffCounts additions={file.additions} deletions={file.deletions} />
          )}
          {file.binary && <span className="shrink-0 text-xs text-faint">binary</span>}
        </button>
        <IconButton
          label={isSeen ? "Viewed" : "Mark as viewed"}
          keys={["V"]}
          small
          aria-pressed={isSeen}
          onClick={onSeen}
          data-testid="viewed"
          className={isSeen ? "text-ok" : undefined}
        >
          <Check className="size-3.5" />
        </IconButton>
        <Menu
          trigger={
            <Button look="quiet" size="smallIcon" aria-label={`More about ${visible(file.path)}`}>
              <Ellipsis className="size-3.5" />
            </Button>
          }
        >
          {file.status !== "deleted" && file.kind === "file" && (
            <MenuItem icon={<FileText />} onSelect={onOpen}>
              Open the file
            </MenuItem>
          )}
          {hasLines(file) && (
            <MenuItem
              icon={<UnfoldVertical />}
              onSelect={() => {
                setIsWhole(!isWhole);
                setIsOpen(true);
              }}
            >
              {isWhole ? "Only what changed" : "All lines around"}
            </MenuItem>
          )}
          {hasLines(file) && (
            <MenuItem icon={<Copy />} onSelect={() => void copyPatch()}>
              Copy the patch
            </MenuItem>
          )}
          <MenuItem icon={<Undo2 />} danger onSelect={() => setIsAsking(true)}>
            Revert…
          </MenuItem>
        </Menu>
      </div>
      {isOpen && (
        <div className="border-border border-t">
          {comments
            .filter((comment) => !comment.place.startsWith(`${place}.`))
            .map((comment) => (
              <LineComment
                key={comment.id}
                comment={comment}
                onRemove={() => removeComment(session, comment.id)}
              />
            ))}
          <Diff {...props} place={place} linesAround={isWhole ? ALL_LINES : USUAL_LINES} />
        </div>
      )}
      <Confirm
        open={isAsking}
        onClose={() => setIsAsking(false)}
        title={`Revert ${visible(file.path)}?`}
        action="Revert"
        onConfirm={revert}
      >
        <p>{lossOf(file, base)} You can undo this right after.</p>
      </Confirm>
    </li>
  );
}

function Names({ file }: { file: ChangedFile }) {
  const name = file.path.slice(file.path.lastIndexOf("/") + 1);
  return (
    <>
      <span className="w-3 shrink-0 text-center font-mono text-xs text-muted">
        <span aria-hidden>{LETTERS[file.status]}</span>
        <span className="sr-only">{file.status}</span>
      </span>
      <span
        className={cn(
          "min-w-0 flex-1 truncate font-mono text-xs",
          file.status === "deleted" && "line-through",
        )}
      >
        {visible(name)}
        {file.old_path && <span className="text-faint"> from {visible(file.old_path)}</span>}
      </span>
    </>
  );
}

const hasLines = (file: ChangedFile) => !file.binary && file.kind !== "repository";

function lossOf(file: ChangedFile, base: ChangeBase): string {
  const when = base === "start" ? "when the session began" : "before the last prompt";
  if (file.status === "added") return `It was not there ${when}: it will be deleted.`;
  return `It becomes what it was ${when}; every change since is lost, whoever made it.`;
}

function Diff(props: WorkspaceFileProps & { place: string; linesAround: number }) {
  const { session, base, file, place, linesAround, ignoreSpace, isSplit } = props;
  const isShown = hasLines(file);
  const query = useQuery({
    ...changeDiffQuery(session, base, file, { linesAround, ignoreSpace }),
    enabled: isShown,
  });
  if (file.kind === "repository")
    return <Note>A git repository of its own; its files are not listed here.</Note>;
  if (!isShown) return <Note>This is not text, or too large to be compared line by line.</Note>;
  if (query.isPending) return <Skeleton lines={4} />;
  if (query.error) {
    return <Problem what="The diff could not be read" error={query.error} onRetry={() => query.refetch()} />;
  }
  return (
    <>
      <ReviewedDiff
        session={session}
        path={file.path}
        patch={query.data.patch}
        place={place}
        isSplit={isSplit}
      />
      {query.data.truncated && (
        <Note>The diff is longer than what is shown here. Open the file to see all.</Note>
      )}
    </>
  );
}

function Note({ children }: { children: React.ReactNode }) {
  return <p className="px-3 py-2 text-sm text-muted">{children}</p>;
}

/** For `git apply`: with everything that a change of spaces is, and all of it or nothing. */
function useCopyPatch(session: string, base: ChangeBase, file: ChangedFile): () => Promise<void> {
  const queries = useQueryClient();
  const wish = { linesAround: USUAL_LINES, ignoreSpace: false };
  return async () => {
    try {
      const diff = await queries.fetchQuery(changeDiffQuery(session, base, file, wish));
      if (diff.truncated) toast.error("This patch is too long to be copied from here.");
      else if (await copyText(diff.patch, "Patch")) toast("Patch copied");
      else toast.error("The patch could not be copied.");
    } catch (error) {
      toast.error(messageOf(error));
    }
  };
}

function useRevert(session: string, base: ChangeBase, file: ChangedFile): () => Promise<void> {
  const queries = useQueryClient();
  const look = () => {
    for (const kind of ["changes", "files", "file"]) {
      void queries.invalidateQueries({ queryKey: [kind, session] });
    }
  };
  return async () => {
    const undo = await revertChange(session, base, file);
    look();
    toast(`${visible(file.path)} reverted`, {
      duration: UNDO_MS,
      action: {
        label: "Undo",
        onClick: () => {
          revertChange(session, undo, file)
            .then(look)
            .catch((error: unknown) => toast.error(messageOf(error)));
        },
      },
    });
  };
}
