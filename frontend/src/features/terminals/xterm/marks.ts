// Where commands begin and end, as the shell says it (OSC 133): to jump between them, to copy what one printed, and to
// show in the gutter how it ended. Shells that say nothing have none of this.
import type { IDecoration, IMarker, Terminal } from "@xterm/xterm";

const MOST = 500;
const MAX_OUTPUT_LINES = 5_000;

export interface Command {
  /** The first line of its prompt. */
  prompt: IMarker;
  /** Where its text begins. */
  input: { marker: IMarker; column: number } | null;
  output: IMarker | null;
  end: IMarker | null;
  /** Null until it has ended, or if the shell does not say. */
  exitCode: number | null;
  text: string;
  decoration: IDecoration | null;
}

export type Outcome = "running" | "ok" | "failed";

export class CommandMarks {
  readonly #xterm: Terminal;
  readonly #onChange: () => void;
  #commands: Command[] = [];

  constructor(xterm: Terminal, onChange: () => void) {
    this.#xterm = xterm;
    this.#onChange = onChange;
    xterm.parser.registerOscHandler(133, (data) => {
      this.#take(data);
      return true;
    });
  }

  /** Those that are still in the scrollback and were given to the shell, oldest first. */
  get commands(): readonly Command[] {
    return this.#commands.filter((command) => command.output && !command.prompt.isDisposed);
  }

  /** Whether the shell has said that it waits for a command; null if it says nothing at all. */
  get isAtPrompt(): boolean | null {
    const last = this.#commands.at(-1);
    return last ? last.output === null : null;
  }

  get last(): Command | undefined {
    return this.commands.findLast((command) => command.end);
  }

  get lastFailed(): Command | undefined {
    return this.commands.findLast((command) => command.exitCode !== null && command.exitCode !== 0);
  }

  /** The whole screen was cleared or reset. */
  forget(): void {
    for (const command of this.#commands) release(command);
    this.#commands = [];
    this.#onChange();
  }

  /** What a command printed, as text. */
  outputOf(command: Command): string {
    if (!command.output || !command.end || command.output.isDisposed || command.end.isDisposed) return "";
    const first = Math.max(command.output.line, command.end.line - MAX_OUTPUT_LINES);
    return this.#textOf(first, command.end.line);
  }

  /** Shows the prompt before or after what is on the screen. */
  jump(direction: -1 | 1): void {
    const { viewportY } = this.#xterm.buffer.active;
    const lines = this.#commands.map(({ prompt }) => prompt.line).filter((line) => line >= 0);
    const target =
      direction < 0 ? lines.findLast((line) => line < viewportY) : lines.find((line) => line > viewportY);
    if (target !== undefined) this.#xterm.scrollToLine(target);
    else if (direction > 0) this.#xterm.scrollToBottom();
  }

  #take(data: string): void {
    if (this.#xterm.buffer.active.type !== "normal") return;
    const current = this.#commands.at(-1);
    switch (data[0]) {
      case "A":
        this.#begin();
        break;
      case "B":
        if (current && !current.output) {
          const column = this.#xterm.buffer.active.cursorX;
          current.input?.marker.dispose();
          current.input = { marker: this.#xterm.registerMarker(0), column };
        }
        break;
      case "C":
        if (current && !current.output) this.#run(current);
        break;
      case "D":
        if (current?.output && !current.end) this.#finish(current, data);
    }
    this.#onChange();
  }

  #begin(): void {
    const last = this.#commands.at(-1);
    // The same prompt drawn anew, or an empty line: nothing was run there.
    if (last && !last.output) last.prompt.dispose();
    // Others' lines have left the scrollback.
    for (const command of this.#commands) if (command.prompt.isDisposed) release(command);
    this.#commands = this.#commands.filter(({ prompt }) => !prompt.isDisposed);
    if (this.#commands.length === MOST) release(this.#commands.shift());
    const prompt = this.#xterm.registerMarker(0);
    this.#commands.push({
      prompt,
      input: null,
      output: null,
      end: null,
      exitCode: null,
      text: "",
      decoration: null,
    });
  }

  #run(command: Command): void {
    command.output = this.#xterm.registerMarker(0);
    const { input, output } = command;
    if (input && !input.marker.isDisposed) {
      command.text = this.#textOf(input.marker.line, output.line, input.column).trim();
    }
    command.decoration = this.#decorate(command.prompt, "running");
  }

  #finish(command: Command, data: string): void {
    command.end = this.#xterm.registerMarker(0);
    const code = /^D;(-?\d+)/.exec(data)?.[1];
    command.exitCode = code === undefined ? null : Number(code);
    command.decoration?.dispose();
    const outcome = command.exitCode === 0 || command.exitCode === null ? "ok" : "failed";
    command.decoration = this.#decorate(command.prompt, outcome, command.exitCode);
  }

  #decorate(marker: IMarker, outcome: Outcome, exitCode: number | null = null): IDecoration | null {
    const decoration = this.#xterm.registerDecoration({ marker, anchor: "left", width: 1 });
    decoration?.onRender((element) => {
      element.classList.add("command-mark");
      element.dataset.outcome = outcome;
      element.textContent = { running: "•", ok: "✓", failed: "✗" }[outcome];
      element.title = { running: "Running", ok: "Done", failed: `Failed with ${exitCode}` }[outcome];
    });
    return decoration ?? null;
  }

  /** From `column` of the line `from` up to the line `until`, which is not part of it. */
  #textOf(from: number, until: number, column = 0): string {
    const buffer = this.#xterm.buffer.normal;
    const rows: string[] = [];
    for (let line = from; line < Math.max(until, from + (column > 0 ? 1 : 0)); line += 1) {
      const row = buffer.getLine(line);
      if (!row) break;
      const text = row.translateToString(true, line === from ? column : 0);
      if (row.isWrapped && rows.length) rows.push((rows.pop() ?? "") + text);
      else rows.push(text);
    }
    return rows.join("\n").replace(/\s+$/, "");
  }
}

/** xterm.js keeps every marker, and looks at it with each line, until its line is gone or it is told. */
function release(command: Command | undefined): void {
  command?.decoration?.dispose();
  for (const marker of [command?.prompt, command?.input?.marker, command?.output, command?.end])
    marker?.dispose();
}
