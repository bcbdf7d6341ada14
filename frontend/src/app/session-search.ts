// The part of a session's address after the question mark: which panel is open, and on what.

export type PanelTab = "changes" | "files" | "terminal" | "network";

export interface SessionSearch {
  panel?: PanelTab;
  /** A folder or, with `file`, a file of the workspace. */
  path?: string;
  file?: boolean;
  /** Of the file. */
  line?: number;
  /** The terminal that is shown. */
  terminal?: string;
}

const TABS: ReadonlySet<unknown> = new Set<PanelTab>(["changes", "files", "terminal", "network"]);

export function validateSessionSearch(search: Record<string, unknown>): SessionSearch {
  const { panel, path, file, line, terminal } = search;
  return {
    ...(TABS.has(panel) && { panel: panel as PanelTab }),
    ...(typeof path === "string" && path && { path }),
    ...(file === true && { file: true }),
    ...(Number.isSafeInteger(line) && Number(line) > 0 && { line: Number(line) }),
    ...(typeof terminal === "string" && terminal && { terminal }),
  };
}
