// Keys that the keyboard of a phone does not have.
import { ArrowDown, ArrowLeft, ArrowRight, ArrowUp, ClipboardPaste } from "lucide-react";
import type { PointerEvent, ReactNode } from "react";
import { toast } from "sonner";
import { useStore } from "zustand";
import { cn } from "@/lib/cn";
import type { LiveTerminal } from "./live-terminal";

/** Without taking the focus, or the keyboard would go. */
function keepFocus(event: PointerEvent): void {
  event.preventDefault();
}

export function KeyBar({ live }: { live: LiveTerminal }) {
  const isControlHeld = useStore(live.store, (state) => state.isControlHeld);
  const arrow = (letter: string) => () => {
    const isApplication = live.xterm.modes.applicationCursorKeysMode;
    live.press(`\u001b${isApplication ? "O" : "["}${letter}`);
  };
  const paste = async () => {
    try {
      live.paste(await navigator.clipboard.readText());
    } catch {
      toast.error("This browser does not let the page read the clipboard. Paste with its own menu.");
    }
  };
  return (
    <div
      role="toolbar"
      aria-label="Keys"
      data-testid="key-bar"
      className="flex shrink-0 overflow-x-auto border-border border-t bg-side"
    >
      <Key label="Escape" onPress={() => live.press("\u001b")}>
        Esc
      </Key>
      <Key label="Tab" onPress={() => live.press("\t")}>
        Tab
      </Key>
      <Key label="Control" isHeld={isControlHeld} onPress={() => live.holdControl()}>
        Ctrl
      </Key>
      <Key label="Left" onPress={arrow("D")}>
        <ArrowLeft aria-hidden />
      </Key>
      <Key label="Up" onPress={arrow("A")}>
        <ArrowUp aria-hidden />
      </Key>
      <Key label="Down" onPress={arrow("B")}>
        <ArrowDown aria-hidden />
      </Key>
      <Key label="Right" onPress={arrow("C")}>
        <ArrowRight aria-hidden />
      </Key>
      <Key label="Paste" onPress={() => void paste()}>
        <ClipboardPaste aria-hidden />
      </Key>
    </div>
  );
}

interface KeyProps {
  label: string;
  isHeld?: boolean;
  onPress: () => void;
  children: ReactNode;
}

function Key({ label, isHeld, onPress, children }: KeyProps) {
  return (
    <button
      type="button"
      aria-label={label}
      aria-pressed={isHeld}
      onPointerDown={keepFocus}
      onClick={onPress}
      className={cn(
        "grid h-11 min-w-11 flex-1 place-items-center text-xs font-medium text-muted [&_svg]:size-4",
        isHeld && "bg-accent-soft text-accent",
      )}
    >
      {children}
    </button>
  );
}
