// Everything that can be done with a terminal.
import {
  ArrowLeft,
  ArrowRight,
  Bot,
  ChevronDown,
  ChevronUp,
  CircleDot,
  Columns2,
  Copy,
  Download,
  Ear,
  EllipsisVertical,
  PanelTop,
  Pencil,
  Search,
  Sparkles,
  Trash2,
} from "lucide-react";
import { toast } from "sonner";
import { IconButton } from "@/components/button";
import { Menu, MenuItem, MenuSeparator } from "@/components/menu";
import { messageOf } from "@/lib/api/errors";
import { loadTranscript } from "@/lib/api/terminals";
import { copyText } from "@/lib/clipboard";
import { fileName, saveAs } from "@/lib/download";
import { setPreference, usePreferences } from "@/lib/preferences";
import type { LiveTerminal } from "./live-terminal";
import { forAgent } from "./words";

export interface TerminalMenuProps {
  session: string;
  live: LiveTerminal;
  /** As its tab says. */
  name: string;
  hasNeighbours: boolean;
  /** The name of the session's agent, if it has an interface of its own. */
  agent: string | undefined;
  onOpenAgent: () => void;
  onFind: () => void;
  onRename: () => void;
  onMove: (by: -1 | 1) => void;
  onSplit: () => void;
  onSeparate: () => void;
  onRemove: () => void;
  onSendToAgent: (text: string) => void;
}

export function TerminalMenu(props: TerminalMenuProps) {
  const { session, live } = props;
  const screenReader = usePreferences((preferences) => preferences.screenReader);
  const isRecording = live.store.getState().isRecording;
  const download = async (as: "text" | "asciicast") => {
    try {
      const ending = as === "text" ? "txt" : "cast";
      saveAs(await loadTranscript(session, live.id, as), fileName(props.name, ending));
    } catch (error) {
      toast.error(messageOf(error));
    }
  };
  return (
    <Menu
      trigger={
        <IconButton label="What can be done with this terminal" small data-testid="terminal-menu">
          <EllipsisVertical className="size-4" />
        </IconButton>
      }
    >
      <MenuItem icon={<Search />} onSelect={props.onFind}>
        Find
      </MenuItem>
      <CommandItems live={live} onSendToAgent={props.onSendToAgent} />
      <MenuSeparator />
      <MenuItem icon={<Pencil />} onSelect={props.onRename}>
        Rename
      </MenuItem>
      <MenuItem icon={<Columns2 />} onSelect={props.onSplit}>
        New one beside it
      </MenuItem>
      {props.hasNeighbours && (
        <MenuItem icon={<PanelTop />} onSelect={props.onSeparate}>
          To a tab of its own
        </MenuItem>
      )}
      <MenuItem icon={<ArrowLeft />} onSelect={() => props.onMove(-1)}>
        Move the tab left
      </MenuItem>
      <MenuItem icon={<ArrowRight />} onSelect={() => props.onMove(1)}>
        Move the tab right
      </MenuItem>
      <MenuSeparator />
      {props.agent && (
        <MenuItem icon={<Bot />} onSelect={props.onOpenAgent}>
          {props.agent}'s own interface
        </MenuItem>
      )}
      <MenuItem icon={<Download />} onSelect={() => void download("text")}>
        Download the transcript
      </MenuItem>
      {isRecording && (
        <MenuItem icon={<CircleDot />} onSelect={() => void download("asciicast")}>
          Download the recording
        </MenuItem>
      )}
      <MenuItem icon={<Ear />} onSelect={() => setPreference({ screenReader: !screenReader })}>
        {screenReader ? "Screen reader mode off" : "Screen reader mode on"}
      </MenuItem>
      <MenuItem icon={<Trash2 />} danger onSelect={props.onRemove}>
        Close
      </MenuItem>
    </Menu>
  );
}

/** Only where the shell says where its commands begin and end. */
function CommandItems({ live, onSendToAgent }: Pick<TerminalMenuProps, "live" | "onSendToAgent">) {
  const { marks } = live;
  const { count, hasFailed } = live.store.getState().commands;
  if (count === 0) return null;
  const copyLast = () => {
    const { last } = marks;
    if (last) void copyText(marks.outputOf(last), "Output");
  };
  const sendFailed = () => {
    const failed = marks.lastFailed;
    if (!failed) return toast.info("No command has failed.");
    const output = marks.outputOf(failed);
    onSendToAgent(
      forAgent(
        `This failed with ${failed.exitCode} in the terminal:`,
        `$ ${failed.text}\n${output}`.trimEnd(),
      ),
    );
  };
  return (
    <>
      <MenuItem icon={<ChevronUp />} onSelect={() => marks.jump(-1)}>
        Command before
      </MenuItem>
      <MenuItem icon={<ChevronDown />} onSelect={() => marks.jump(1)}>
        Command after
      </MenuItem>
      <MenuItem icon={<Copy />} onSelect={copyLast}>
        Copy the last output
      </MenuItem>
      <MenuItem icon={<Sparkles />} disabled={!hasFailed} onSelect={sendFailed}>
        Send the last failure to the agent
      </MenuItem>
    </>
  );
}
