// Paths of the workspace, for people.

/** The folder that holds `path`; empty is the workspace. */
export function parentOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
}
