// Exactly what would be done, in full: nobody can decide about a summary.
import { CopyButton } from "@/components/copy-button";
import { DiffView } from "@/components/diff-view";
import { visible } from "@/lib/visible";
import type { Ask } from "./ask";

/** Exactly what would be done: the command as it is run, the file, the host. */
export function AskDetails({ ask }: { ask: Ask }) {
  return (
    <div className="flex flex-col gap-2 px-3 py-2 text-sm">
      {ask.title && ask.title !== ask.command && !isPathAgain(ask) && !isHostAgain(ask) && (
        <p className="text-muted [overflow-wrap:anywhere]">{visible(ask.title)}</p>
      )}
      {ask.command && <Exact what="Command" text={ask.command} />}
      {ask.host && <Exact what="Host" text={ask.host} />}
      {ask.path && <p className="font-mono text-xs [overflow-wrap:anywhere]">{visible(ask.path)}</p>}
      {ask.diff && (
        <div className="overflow-hidden rounded-md border border-border">
          <DiffView patch={ask.diff} path={ask.path} className="max-h-72 overflow-y-auto" />
        </div>
      )}
      {ask.cwd && (
        <p className="text-xs text-muted">
          in <code>{ask.cwd}</code>
        </p>
      )}
    </div>
  );
}

/** "Edit app.py" says no more than the path below it and the heading above it. */
function isPathAgain({ title, path, diff }: Ask): boolean {
  return diff !== "" && path !== "" && title.endsWith(path);
}

/** "wants to reach example.com" says no more than the heading and the host below it. */
function isHostAgain({ title, type, host }: Ask): boolean {
  return type === "egress" && title.endsWith(` ${host.replace(/:\d+$/, "")}`);
}

function Exact({ what, text }: { what: string; text: string }) {
  return (
    <div className="flex items-start gap-1 rounded-md border border-border bg-sunken py-1 pr-1 pl-2.5">
      <pre
        tabIndex={0}
        data-testid="permission-exact"
        className="max-h-48 min-w-0 flex-1 overflow-y-auto whitespace-pre-wrap py-0.5 text-sm [overflow-wrap:anywhere]"
      >
        {visible(text)}
      </pre>
      <CopyButton text={text} what={what} />
    </div>
  );
}
