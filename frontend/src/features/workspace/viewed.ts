// Which changed files somebody has seen, in the version that they saw; kept in this browser.
import { create } from "zustand";
import type { ChangedFile } from "@/lib/api/types";
import { recall, remember } from "@/lib/storage";

type Versions = Record<string, string>;

const MOST = 2000;
const NONE: Versions = {};
const name = (session: string) => `viewed.${session}`;
const known = new Map<string, Versions>();

const useSeen = create<Record<string, Versions>>(() => ({}));

function stored(session: string): Versions {
  const found = known.get(session) ?? recall(name(session), NONE);
  known.set(session, found);
  return found;
}

/** By path. A file that has changed since is not seen any more. */
export function useViewed(session: string): Versions {
  return useSeen((seen) => seen[session] ?? stored(session));
}

export function isViewed(versions: Versions, file: ChangedFile): boolean {
  return versions[file.path] === versionOf(file);
}

export function setViewed(session: string, file: ChangedFile, isSeen: boolean): void {
  const { [file.path]: _, ...others } = useSeen.getState()[session] ?? stored(session);
  const kept = Object.fromEntries(Object.entries(others).slice(-MOST + 1));
  const versions = isSeen ? { ...kept, [file.path]: versionOf(file) } : kept;
  useSeen.setState({ [session]: versions });
  remember(name(session), Object.keys(versions).length ? versions : undefined);
}

const versionOf = (file: ChangedFile) => `${file.status} ${file.version}`;
