// The product's name above the sessions, and hiding them.
import { Link } from "@tanstack/react-router";
import { PanelLeftClose } from "lucide-react";
import { IconButton } from "@/components/button";
import { Logo } from "@/components/logo";
import { keysOf } from "@/lib/shortcuts";

export function SidebarHeader({ onHide }: { onHide: () => void }) {
  return (
    <div className="flex h-(--bar) shrink-0 items-center justify-between pr-2 pl-3">
      <Link to="/" className="flex items-center gap-2 rounded-md text-sm font-semibold max-md:min-h-11">
        <Logo className="size-5" />
        OpenAgent
      </Link>
      <IconButton label="Hide the sessions" keys={keysOf("sidebar")} onClick={onHide}>
        <PanelLeftClose className="size-4" />
      </IconButton>
    </div>
  );
}
