// The button that runs a block of shell code from the conversation in a terminal.
import { SquareTerminal } from "lucide-react";
import { IconButton } from "@/components/button";

const SHELLS = new Set(["bash", "sh", "shell", "zsh"]);

export function RunCode({
  code,
  language,
  onRun,
}: {
  code: string;
  language: string;
  onRun: (command: string) => void;
}) {
  if (!SHELLS.has(language.toLowerCase()) || !code.trim()) return null;
  return (
    <IconButton label="Run in terminal" small onClick={() => onRun(code)} data-testid="run-code">
      <SquareTerminal className="size-3.5" />
    </IconButton>
  );
}
