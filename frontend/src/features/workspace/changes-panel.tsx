// The agent's edits by file. It says what it knows: commands may have changed more than that.
import { ChevronRight, FileDiff as FileDiffIcon, FileText } from "lucide-react";
import { memo, useState } from "react";
import { IconButton } from "@/components/button";
import { DiffCounts, DiffView } from "@/components/diff-view";
import { Empty } from "@/components/states";
import { cn } from "@/lib/cn";
import type { ChangedFile } from "./changes";

interface ChangesPanelProps {
  files: ChangedFile[];
  onOpenFile: (path: string) => void;
}

export const ChangesPanel = memo(function ChangesPanel({ files, onOpenFile }: ChangesPanelProps) {
  if (files.length === 0) {
    return <Empty icon={<FileDiffIcon aria-hidden />}>The agent has not edited a file yet.</Empty>;
  }
  return (
    <div className="h-full overflow-y-auto" data-testid="changes-panel">
      <p className="border-border border-b px-3 py-2 text-xs text-muted">
        Edits that the agent made with its tools. What commands changed is not listed here.
      </p>
      <ul>
        {files.map((file) => (
          <ChangedFileView key={file.path} file={file} onOpen={() => onOpenFile(file.path)} />
        ))}
      </ul>
    </div>
  );
});

function ChangedFileView({ file, onOpen }: { file: ChangedFile; onOpen: () => void }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <li className="border-border border-b" data-testid="changed-file" data-path={file.path}>
      <div className="flex h-8 items-center gap-1 pr-1 max-md:h-12">
        <button
          type="button"
          aria-expanded={isOpen}
          onClick={() => setIsOpen(!isOpen)}
          className="flex h-full min-w-0 flex-1 items-center gap-1.5 px-2 text-left hover:bg-hover"
        >
          <ChevronRight
            aria-hidden
            className={cn("size-3.5 shrink-0 text-faint transition-ui", isOpen && "rotate-90")}
          />
          <span className="min-w-0 flex-1 truncate font-mono text-xs">{file.path}</span>
          {file.edits.length > 1 && (
            <span className="shrink-0 text-xs text-faint">{file.edits.length} edits</span>
          )}
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
            <DiffView patch={diff.patch} path={file.path} />
          </div>
        ))}
    </li>
  );
}
