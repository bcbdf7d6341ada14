// On a phone the sidebar is a sheet from the left; any page can open it.
import { Dialog } from "@base-ui/react/dialog";
import type { ReactNode } from "react";
import { create } from "zustand";

const useSheet = create(() => ({ isOpen: false }));

export function openSidebarSheet(): void {
  useSheet.setState({ isOpen: true });
}

export function SidebarSheet({ children }: { children: (close: () => void) => ReactNode }) {
  const { isOpen } = useSheet();
  const close = () => useSheet.setState({ isOpen: false });
  return (
    <Dialog.Root open={isOpen} onOpenChange={(next) => useSheet.setState({ isOpen: next })}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-(--z-sheet) bg-backdrop" />
        <Dialog.Popup className="fixed inset-y-0 left-0 z-(--z-sheet) w-[min(320px,86vw)] border-border border-r pb-[env(safe-area-inset-bottom)] outline-none">
          <Dialog.Title className="sr-only">Sessions</Dialog.Title>
          {children(close)}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
