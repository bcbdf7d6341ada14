// The part of a session's address after the question mark: which panel is open, and on what.

export type PanelTab = "changes" | "files";

export interface SessionSearch {
  panel?: PanelTab;
  /** A folder or, with `file`, a file of the workspace. */
  path?: string;
  file?: boolean;
}

export function validateSessionSearch(search: Record<string, unknown>): SessionSearch {
  const { panel, path, file } = search;
  return {
    ...((panel === "changes" || panel === "files") && { panel }),
    ...(typeof path === "string" && path && { path }),
    ...(file === true && { file: true }),
  };
}
