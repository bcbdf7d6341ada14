// What a tool printed: as text, or for a command also as a terminal shows it, live; and running the command oneself.
import { SquareTerminal, Type } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/button";
import { OutputView } from "@/components/output-view";
import type { ToolItem } from "@/protocol/conversation";
import { useTranscript } from "./context";

export function ToolOutput({ tool, onUse }: { tool: ToolItem; onUse: () => void }) {
  const { renderOutput, onRunInTerminal } = useTranscript();
  const [isTerminal, setIsTerminal] = useState(false);
  const text = <OutputView output={tool.output} omitted={tool.output_omitted} hasGap={tool.output_gap} />;
  if (tool.tool_kind !== "execute") return text;
  const { command } = tool.input;
  return (
    <div>
      <div className="flex flex-wrap justify-end gap-1 px-1 pt-1">
        <Button
          look="quiet"
          size="small"
          onClick={() => {
            setIsTerminal(!isTerminal);
            onUse();
          }}
          data-testid="output-as-terminal"
        >
          {isTerminal ? <Type className="size-3" /> : <SquareTerminal className="size-3" />}
          {isTerminal ? "As text" : "As a terminal"}
        </Button>
        {typeof command === "string" && command && (
          <Button
            look="quiet"
            size="small"
            onClick={() => onRunInTerminal(command)}
            data-testid="run-in-terminal"
          >
            <SquareTerminal className="size-3" />
            Run in terminal
          </Button>
        )}
      </div>
      {isTerminal ? renderOutput(tool.output, tool.output_omitted) : text}
    </div>
  );
}
