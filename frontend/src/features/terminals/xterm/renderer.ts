// Drawing with the graphics card where there is one; without it, or when it gives up, with elements of the page.
import { WebglAddon } from "@xterm/addon-webgl";
import type { Terminal } from "@xterm/xterm";

/** Call it when the terminal is on the page. */
export function drawFast(xterm: Terminal): void {
  const webgl = new WebglAddon();
  // The addon gone, xterm.js draws as before.
  webgl.onContextLoss(() => webgl.dispose());
  try {
    xterm.loadAddon(webgl);
  } catch {
    // No WebGL 2 here.
    webgl.dispose();
  }
}
