// Dialogs: focus goes in and comes back, Esc closes; and the one question before something is destroyed.
import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import { type ReactNode, useRef, useState } from "react";
import { messageOf } from "@/lib/api/errors";
import { cn } from "@/lib/cn";
import { Button } from "./button";
import { FormError } from "./form";

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: ReactNode;
  className?: string;
  /** It cannot be dismissed, only answered. */
  isForced?: boolean;
  children?: ReactNode;
}

export function Dialog({ open, onClose, title, description, className, isForced, children }: DialogProps) {
  return (
    <Base.Root
      open={open}
      onOpenChange={(next) => !next && !isForced && onClose()}
      disablePointerDismissal={isForced ?? false}
    >
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-(--z-dialog) bg-backdrop" />
        <Base.Popup
          className={cn(
            "fixed top-[12vh] left-1/2 z-(--z-dialog) flex max-h-[80dvh] w-[calc(100vw-24px)] max-w-120 -translate-x-1/2 flex-col overflow-hidden rounded-lg border border-border bg-raised shadow-pop",
            className,
          )}
        >
          <Base.Title
            className={cn(
              "shrink-0 px-4 pt-3.5 text-lg leading-snug font-semibold [overflow-wrap:anywhere]",
              !isForced && "pr-12",
            )}
          >
            {title}
          </Base.Title>
          {description && (
            <Base.Description className="px-4 pt-1 text-sm text-muted" render={<div />}>
              {description}
            </Base.Description>
          )}
          <div className="min-h-0 flex-1 overflow-y-auto px-4 pt-3 pb-4">{children}</div>
          {/* Last in order, so that the focus begins with what the dialog is about; without a tooltip, which
              would take the first Esc for itself. */}
          {!isForced && (
            <Button
              look="quiet"
              size="smallIcon"
              aria-label="Close"
              onClick={onClose}
              className="absolute top-2.5 right-2.5 max-md:top-0.5 max-md:right-0.5"
            >
              <X className="size-4" />
            </Button>
          )}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

interface ConfirmProps {
  open: boolean;
  onClose: () => void;
  title: string;
  /** What is lost, in words. */
  children: ReactNode;
  /** The verb on the button. */
  action: string;
  onConfirm: () => Promise<unknown>;
}

/** Asks before something is lost. Closes when it is done, and says why when it could not be. */
export function Confirm({ open, onClose, title, children, action, onConfirm }: ConfirmProps) {
  const [state, setState] = useState<{ busy: boolean; error: string }>({ busy: false, error: "" });
  const asked = useRef(0);
  // What went wrong was read, and what is still under way is of no more interest: the question may be asked again.
  const close = () => {
    asked.current += 1;
    setState({ busy: false, error: "" });
    onClose();
  };
  const confirm = async () => {
    const number = asked.current;
    setState({ busy: true, error: "" });
    try {
      await onConfirm();
      if (number === asked.current) close();
    } catch (error) {
      if (number === asked.current) setState({ busy: false, error: messageOf(error) });
    }
  };
  return (
    <Dialog open={open} onClose={close} title={title}>
      <div className="flex flex-col gap-3 text-sm text-muted">
        {children}
        {state.error && <FormError>{state.error}</FormError>}
      </div>
      <div className="mt-4 flex justify-end gap-2">
        <Button onClick={close}>Cancel</Button>
        <Button look="danger" disabled={state.busy} onClick={confirm}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
