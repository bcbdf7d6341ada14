// What a command of the agent prints, as a terminal shows it, while it prints. Nobody can type into it.
import { useEffect, useRef } from "react";
import { drawOutput, type OutputScreen } from "./output-screen";

interface OutputTerminalProps {
  output: string;
  /** Characters that were left out before the kept ones. */
  omitted: number;
}

export function OutputTerminal({ output, omitted }: OutputTerminalProps) {
  const place = useRef<HTMLDivElement>(null);
  const screen = useRef<OutputScreen | null>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    screen.current = drawOutput(element);
    return () => {
      screen.current?.dispose();
      screen.current = null;
    };
  }, []);
  useEffect(() => screen.current?.show(output, omitted), [output, omitted]);
  return <div ref={place} data-testid="output-terminal" className="terminal-host w-full overflow-clip" />;
}
