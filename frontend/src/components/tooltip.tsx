// A name, and the keys for it, on hover and focus.
import { Tooltip as Base } from "@base-ui/react/tooltip";
import type { ReactElement } from "react";
import { Keys } from "./keys";

interface TooltipProps {
  label: string;
  keys?: string[] | undefined;
  children: ReactElement<Record<string, unknown>>;
}

export function Tooltip({ label, keys, children }: TooltipProps) {
  return (
    <Base.Root>
      <Base.Trigger render={children} />
      <Base.Portal>
        <Base.Positioner sideOffset={6} className="z-(--z-popup)">
          <Base.Popup className="flex max-w-72 items-center gap-2 rounded-md border border-border bg-raised px-2 py-1 text-xs text-fg shadow-pop">
            <span className="line-clamp-4 min-w-0 [overflow-wrap:anywhere]">{label}</span>
            {keys && <Keys keys={keys} />}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
