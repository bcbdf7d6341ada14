// Below the sessions: the inbox, the settings, and the person.
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { ChevronsUpDown, CircleUser, Inbox, Keyboard, LogOut, Settings, ShieldCheck } from "lucide-react";
import { toast } from "sonner";
import { Menu, MenuItem, MenuSeparator } from "@/components/menu";
import { signOut } from "@/lib/api/account";
import { messageOf } from "@/lib/api/errors";
import { useOutbox } from "@/lib/outbox";
import { forgetEverythingPersonal } from "@/lib/storage";
import { useMe } from "./me";

interface SidebarFooterProps {
  /** How many, in words; empty if none. */
  waiting: string;
  onNavigate?: (() => void) | undefined;
  onHelp: () => void;
}

const ROW =
  "flex h-(--row) w-full items-center gap-2 rounded-md px-2 text-sm transition-ui hover:bg-hover aria-[current=page]:bg-active [&_svg]:size-3.5 [&_svg]:text-muted";

export function SidebarFooter({ waiting, onNavigate, onHelp }: SidebarFooterProps) {
  const { section } = useParams({ strict: false });
  return (
    <div className="border-border border-t p-2">
      <Link to="/inbox" onClick={onNavigate} className={ROW} data-testid="inbox-link">
        <Inbox aria-hidden />
        Inbox
        {waiting && (
          <span className="ml-auto rounded-full bg-attention-soft px-1.5 text-xs font-semibold text-attention">
            {waiting}
            <span className="sr-only"> waiting</span>
          </span>
        )}
      </Link>
      <Link
        to="/settings/$section"
        params={{ section: "keys" }}
        // Whichever of them it is.
        aria-current={section ? "page" : undefined}
        onClick={onNavigate}
        className={ROW}
      >
        <Settings aria-hidden />
        Settings
      </Link>
      <UserMenu onHelp={onHelp} onNavigate={onNavigate} />
    </div>
  );
}

function UserMenu({ onHelp, onNavigate }: Pick<SidebarFooterProps, "onHelp" | "onNavigate">) {
  const me = useMe();
  const navigate = useNavigate();
  const leave = async () => {
    try {
      await signOut();
    } catch (error) {
      toast.error(messageOf(error));
      return;
    }
    useOutbox.setState({}, true);
    forgetEverythingPersonal();
    // A fresh page: nothing that was on the screen or in memory stays for whoever comes next.
    location.assign("/");
  };
  return (
    <Menu
      align="start"
      trigger={
        <button type="button" className={ROW} data-testid="user-menu">
          <span
            aria-hidden
            className="grid size-4.5 place-items-center rounded-full bg-accent-soft text-2xs font-semibold text-accent"
          >
            {me.name.slice(0, 1).toUpperCase()}
          </span>
          <span className="truncate">
            <span className="sr-only">Account: </span>
            {me.name}
          </span>
          <ChevronsUpDown aria-hidden className="ml-auto" />
        </button>
      }
    >
      <p className="px-2 py-1 text-xs text-muted">
        {me.email}
        <span className="block">OpenAgent {me.version}</span>
      </p>
      <MenuSeparator />
      <MenuItem
        icon={<CircleUser />}
        onSelect={() => {
          onNavigate?.();
          void navigate({ to: "/settings/$section", params: { section: "account" } });
        }}
      >
        Account
      </MenuItem>
      <MenuItem icon={<Keyboard />} onSelect={onHelp}>
        Shortcuts
      </MenuItem>
      {me.is_staff && (
        <MenuItem icon={<ShieldCheck />} onSelect={() => location.assign("/admin/")}>
          Administration
        </MenuItem>
      )}
      <MenuItem icon={<LogOut />} onSelect={leave}>
        Sign out
      </MenuItem>
    </Menu>
  );
}
