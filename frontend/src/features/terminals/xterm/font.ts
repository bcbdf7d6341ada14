// The font of the app's code in terminals; it must be there before cells are measured.

/** xterm.js draws on a canvas, which knows no CSS variables. */
export const FONT = '"JetBrains Mono Variable", ui-monospace, "SF Mono", Menlo, Consolas, monospace';

export async function loadFont(): Promise<void> {
  await Promise.all([document.fonts.load(`13px ${FONT}`), document.fonts.load(`bold 13px ${FONT}`)]);
}
