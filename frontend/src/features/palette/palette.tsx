// Everything by keyboard: go to a session or a page, or do something.
import { Command } from "cmdk";
import type { ReactNode } from "react";
import { Dialog } from "@/components/dialog";
import { Keys } from "@/components/keys";
import { StatusMark } from "@/components/status";
import type { Session } from "@/lib/api/types";
import { keysOf, type ShortcutId } from "@/lib/shortcuts";
import { rank } from "./rank";

export interface PaletteAction {
  id: string;
  label: string;
  icon: ReactNode;
  shortcut?: ShortcutId;
  run: () => void;
}

interface PaletteProps {
  open: boolean;
  onClose: () => void;
  /** For the session that is shown. */
  ofSession: PaletteAction[];
  actions: PaletteAction[];
  sessions: Session[];
  onSession: (id: string) => void;
}

const ITEM =
  "flex h-(--row) cursor-pointer items-center gap-2 rounded-md px-2 text-sm data-[selected=true]:bg-hover [&_svg]:size-3.5 [&_svg]:shrink-0";

export function Palette({ open, onClose, ofSession, actions, sessions, onSession }: PaletteProps) {
  const choose = (run: () => void) => {
    onClose();
    run();
  };
  return (
    <Dialog open={open} onClose={onClose} title="Command palette" className="max-w-140">
      <Command label="Command palette" loop filter={rank} className="-mx-2">
        <Command.Input
          placeholder="Search sessions and commands…"
          className="mb-2 h-(--control) w-full rounded-md border border-border-strong/60 bg-raised px-2.5 text-base"
        />
        <Command.List className="max-h-[50dvh] overflow-y-auto" label="Results">
          <Command.Empty className="p-3 text-sm text-muted">Nothing fits.</Command.Empty>
          <Actions heading="This session" actions={ofSession} onChoose={choose} />
          <Actions heading="Commands" actions={actions} onChoose={choose} />
          {sessions.length > 0 && (
            <Command.Group heading="Sessions" className="mt-2 text-2xs text-faint">
              {sessions.map((session) => (
                <Command.Item
                  key={session.id}
                  value={`${session.title} ${session.id}`}
                  onSelect={() => choose(() => onSession(session.id))}
                  className={ITEM}
                >
                  <StatusMark status={session.status} />
                  <span className="truncate text-fg">{session.title || "Untitled session"}</span>
                </Command.Item>
              ))}
            </Command.Group>
          )}
        </Command.List>
      </Command>
    </Dialog>
  );
}

interface ActionsProps {
  heading: string;
  actions: PaletteAction[];
  onChoose: (run: () => void) => void;
}

function Actions({ heading, actions, onChoose }: ActionsProps) {
  if (actions.length === 0) return null;
  return (
    <Command.Group heading={heading} className="not-first:mt-2 text-2xs text-faint">
      {actions.map((action) => (
        <Command.Item
          key={action.id}
          value={action.label}
          onSelect={() => onChoose(action.run)}
          className={ITEM}
        >
          <span className="text-muted">{action.icon}</span>
          <span className="flex-1 text-fg">{action.label}</span>
          {action.shortcut && <Keys keys={keysOf(action.shortcut)} />}
        </Command.Item>
      ))}
    </Command.Group>
  );
}
