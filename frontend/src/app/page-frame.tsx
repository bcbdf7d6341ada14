// A page beside the sidebar: a bar with the way to the sidebar where it is hidden, and the content.
import { PanelLeft } from "lucide-react";
import type { ReactNode } from "react";
import { IconButton } from "@/components/button";
import { useIsPhone } from "@/lib/media";
import { setPreference, usePreferences } from "@/lib/preferences";
import { keysOf } from "@/lib/shortcuts";
import { openSidebarSheet } from "./sidebar-sheet";

/** Shown wherever the sidebar is not. */
export function SidebarButton() {
  const isPhone = useIsPhone();
  const isShown = usePreferences((preferences) => preferences.isSidebarShown);
  if (!isPhone && isShown) return null;
  const open = () => (isPhone ? openSidebarSheet() : setPreference({ isSidebarShown: true }));
  return (
    <IconButton label="Show sessions" keys={keysOf("sidebar")} onClick={open} data-testid="show-sidebar">
      <PanelLeft className="size-4" />
    </IconButton>
  );
}

export function PageFrame({ children, tabs }: { children: ReactNode; tabs?: ReactNode }) {
  return (
    <>
      <main id="main" tabIndex={-1} className="min-h-0 flex-1 overflow-y-auto outline-none">
        <div className="flex h-(--bar) items-center px-2">
          <SidebarButton />
        </div>
        <div className="mx-auto w-full max-w-180 px-4 pt-4 pb-16 max-md:pt-0">{children}</div>
      </main>
      {tabs}
    </>
  );
}
