// What can be done with a session from a list or its title bar, and the dialogs for it.
import { useQueryClient } from "@tanstack/react-query";
import {
  AlarmClock,
  AlarmClockOff,
  Archive,
  ArchiveRestore,
  Coffee,
  Copy,
  FileJson,
  FileText,
  Link,
  Moon,
  MoreHorizontal,
  Pencil,
  Play,
  Trash2,
} from "lucide-react";
import { type ReactElement, useState } from "react";
import { toast } from "sonner";
import { Button, IconButton } from "@/components/button";
import { Confirm, Dialog } from "@/components/dialog";
import { Field, Input } from "@/components/form";
import { Menu, MenuItem, MenuSeparator } from "@/components/menu";
import { messageOf } from "@/lib/api/errors";
import {
  changeSession,
  exportConversation,
  keepSession,
  letSessionSleep,
  startSession,
  stopSession,
} from "@/lib/api/sessions";
import type { Session } from "@/lib/api/types";
import { copyText } from "@/lib/clipboard";
import { fileName, saveAs } from "@/lib/download";
import { isKept } from "@/lib/sleep";
import { briefTitleOf, titleOf } from "./titles";
import { useDeletion, useKeptWords } from "./use-deletion";

const report = (error: unknown) => toast.error(messageOf(error));

async function copy(text: string, what: string): Promise<void> {
  if (await copyText(text, what)) toast(`${what} copied`);
  else toast.error(`${what} could not be copied`);
}

async function download(session: Session, as: "markdown" | "json"): Promise<void> {
  try {
    saveAs(
      await exportConversation(session.id, as),
      fileName(briefTitleOf(session), as === "markdown" ? "md" : "json"),
    );
  } catch (error) {
    report(error);
  }
}

/** Runs a change, tells what went wrong, and has the lists asked again. */
export function useSessionChange(): (change: () => Promise<unknown>) => Promise<void> {
  const queries = useQueryClient();
  return async (change) => {
    try {
      await change();
    } catch (error) {
      report(error);
    }
    await queries.invalidateQueries({ queryKey: ["sessions"] });
  };
}

interface SessionMenuProps {
  session: Session;
  isCurrent: boolean;
  trigger?: ReactElement<Record<string, unknown>>;
}

export function SessionMenu({ session, isCurrent, trigger }: SessionMenuProps) {
  const [dialog, setDialog] = useState<"rename" | "sleep" | "delete" | null>(null);
  const change = useSessionChange();
  const archive = async () => {
    const archived = !session.archived;
    await change(() => changeSession(session.id, { archived }));
    if (archived) {
      toast("Session archived", {
        action: {
          label: "Undo",
          onClick: () => change(() => changeSession(session.id, { archived: false })),
        },
      });
    }
  };
  const deletion = useDeletion(session, isCurrent);
  const kept = useKeptWords();
  const isWorking = session.turn !== null;
  const sleep = () => change(() => stopSession(session.id));
  const isLive = ["ready", "running", "needs_you", "starting"].includes(session.status);
  return (
    <>
      <Menu
        trigger={
          trigger ?? (
            <IconButton label={`Actions for ${titleOf(session)}`} small>
              <MoreHorizontal className="size-4" />
            </IconButton>
          )
        }
      >
        <MenuItem icon={<Pencil />} onSelect={() => setDialog("rename")}>
          Rename…
        </MenuItem>
        {isLive ? (
          <MenuItem icon={<Moon />} onSelect={() => (isWorking ? setDialog("sleep") : sleep())}>
            {isWorking ? "Put to sleep…" : "Put to sleep"}
          </MenuItem>
        ) : (
          <MenuItem icon={<Play />} onSelect={() => change(() => startSession(session.id))}>
            Start the box
          </MenuItem>
        )}
        {isLive && (
          <MenuItem
            icon={<Coffee />}
            onSelect={() =>
              change(() => (isKept(session) ? letSessionSleep(session.id) : keepSession(session.id)))
            }
          >
            {isKept(session) ? "Let it sleep when idle" : "Keep awake for 1 h"}
          </MenuItem>
        )}
        <MenuItem
          icon={session.auto_resume ? <AlarmClockOff /> : <AlarmClock />}
          onSelect={() => change(() => changeSession(session.id, { auto_resume: !session.auto_resume }))}
        >
          {session.auto_resume ? "Stay stopped after a provider's limit" : "Go on by itself after a limit"}
        </MenuItem>
        <MenuItem icon={session.archived ? <ArchiveRestore /> : <Archive />} onSelect={archive}>
          {session.archived ? "Take out of the archive" : "Archive"}
        </MenuItem>
        <MenuSeparator />
        <MenuItem
          icon={<Link />}
          onSelect={() => void copy(`${location.origin}/sessions/${session.id}`, "Link")}
        >
          Copy link
        </MenuItem>
        <MenuItem icon={<Copy />} onSelect={() => void copy(session.id, "Id")}>
          Copy id
        </MenuItem>
        <MenuItem icon={<FileText />} onSelect={() => void download(session, "markdown")}>
          Download as Markdown
        </MenuItem>
        <MenuItem icon={<FileJson />} onSelect={() => void download(session, "json")}>
          Download as JSON
        </MenuItem>
        <MenuSeparator />
        <MenuItem
          icon={<Trash2 />}
          danger
          onSelect={() => (isWorking ? setDialog("delete") : deletion().catch(report))}
        >
          {isWorking ? "Delete…" : "Delete"}
        </MenuItem>
      </Menu>
      <RenameDialog session={session} open={dialog === "rename"} onClose={() => setDialog(null)} />
      <Confirm
        open={dialog === "sleep"}
        onClose={() => setDialog(null)}
        title={`Put “${briefTitleOf(session)}” to sleep while its agent works?`}
        action="Stop and put to sleep"
        onConfirm={sleep}
      >
        <p>
          What the agent is doing is stopped, and not run again by itself. The conversation and the files are
          kept; programs that run in its terminals end.
        </p>
      </Confirm>
      <Confirm
        open={dialog === "delete"}
        onClose={() => setDialog(null)}
        title={`Delete “${briefTitleOf(session)}” while its agent works?`}
        action="Stop and delete"
        onConfirm={deletion}
      >
        <p>
          What the agent is doing is stopped for good. The conversation and the files can be restored for{" "}
          {kept}.
        </p>
      </Confirm>
    </>
  );
}

interface DialogProps {
  session: Session;
  open: boolean;
  onClose: () => void;
}

function RenameDialog({ session, open, onClose }: DialogProps) {
  const change = useSessionChange();
  return (
    <Dialog open={open} onClose={onClose} title="Rename session">
      <form
        className="flex flex-col gap-3"
        onSubmit={async (event) => {
          event.preventDefault();
          const title = String(new FormData(event.currentTarget).get("title") ?? "").trim();
          await change(() => changeSession(session.id, { title }));
          onClose();
        }}
      >
        <Field label="Title">
          {(ids) => <Input {...ids} name="title" maxLength={200} defaultValue={session.title} required />}
        </Field>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit">
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
