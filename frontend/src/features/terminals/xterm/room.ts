// How many rows and columns there is room for, now and whenever the place of the terminal changes.
import { FitAddon } from "@xterm/addon-fit";
import type { Terminal } from "@xterm/xterm";
import type { Size } from "@/protocol/terminal-frames";

/** What the sidecar accepts. */
const MAX: Size = { rows: 500, cols: 1000 };

/** Returns how to stop. Nothing is said while the terminal has no place on the page. */
export function followRoom(xterm: Terminal, host: HTMLElement, onRoom: (room: Size) => void): () => void {
  const fit = new FitAddon();
  xterm.loadAddon(fit);
  const measure = () => {
    if (!host.clientWidth || !host.clientHeight) return;
    const room = fit.proposeDimensions();
    if (!room || !(room.rows >= 1) || !(room.cols >= 2)) return;
    onRoom({ rows: Math.min(room.rows, MAX.rows), cols: Math.min(room.cols, MAX.cols) });
  };
  const observer = new ResizeObserver(measure);
  observer.observe(host);
  measure();
  return () => observer.disconnect();
}
