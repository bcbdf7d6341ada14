// One file as text with colours and line numbers, or the way to download it.
import { useQuery } from "@tanstack/react-query";
import { Download, FileQuestion } from "lucide-react";
import { buttonClass } from "@/components/button";
import { HighlightedCode } from "@/components/code-block";
import { CopyButton } from "@/components/copy-button";
import { Empty, Skeleton } from "@/components/states";
import { downloadAddress, type FileContent, fileContentQuery } from "@/lib/api/files";
import { languageOfPath } from "@/lib/highlight";
import { formatSize } from "@/lib/sizes";
import { visible } from "@/lib/visible";
import { LineNumbers, type LinePlace, MarkedLine } from "./file-lines";
import { FilesProblem } from "./files-problem";

interface FileViewProps {
  session: string;
  path: string;
  place: LinePlace;
}

export function FileView({ session, path, place }: FileViewProps) {
  const query = useQuery(fileContentQuery(session, path));
  if (query.isPending) return <Skeleton lines={10} />;
  if (query.error) return <FilesProblem error={query.error} onRetry={() => query.refetch()} />;
  const download = (
    <a
      href={downloadAddress(session, path)}
      download
      className={buttonClass({ size: "small" })}
      data-testid="download"
    >
      <Download className="size-3.5" />
      Download
    </a>
  );
  return (
    <section aria-label={path} data-testid="file-view" className="flex min-h-full flex-col">
      <div className="flex h-8 shrink-0 items-center justify-end gap-1 px-2 max-md:h-12">
        {query.data.kind === "text" && <CopyButton text={query.data.text} what="File" />}
        {download}
      </div>
      <FileBody content={query.data} path={path} place={place} />
    </section>
  );
}

interface FileBodyProps {
  content: FileContent;
  path: string;
  place: LinePlace;
}

function FileBody({ content, path, place }: FileBodyProps) {
  if (content.kind === "binary") {
    return <Empty icon={<FileQuestion aria-hidden />}>This file is not text. It can be downloaded.</Empty>;
  }
  if (content.kind === "large") {
    return (
      <Empty icon={<FileQuestion aria-hidden />}>
        This file has {formatSize(content.size)}: too much to show here. It can be downloaded.
      </Empty>
    );
  }
  if (content.text === "") return <p className="px-4 text-sm text-muted">This file is empty.</p>;
  const text = content.text.replaceAll("\r\n", "\n").replace(/\n$/, "");
  const count = text.split("\n").length;
  return (
    <div className="relative flex min-w-max pb-4 font-mono text-xs leading-5">
      <MarkedLine line={place.line !== null && place.line <= count ? place.line : null} />
      <LineNumbers count={count} place={place} />
      <pre className="relative pr-4" data-testid="file-text">
        <HighlightedCode code={visible(text)} language={languageOfPath(path)} />
      </pre>
    </div>
  );
}
