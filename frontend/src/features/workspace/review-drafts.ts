// Comments that are half-written, one at most at each place; kept in this browser until they are added or given up.
import { create } from "zustand";
import { useShallow } from "zustand/react/shallow";
import { nameFrom, recall, remember } from "@/lib/storage";

/** What has been written so far, by the place in the list of changes. */
type Drafts = Readonly<Record<string, string>>;

const FOLDER = "draft.review.";
const name = (session: string) => FOLDER + session;

/** Only of sessions that were looked at since the page was opened; the rest is in storage. */
const useDrafts = create<Record<string, Drafts>>(() => ({}));

const NONE: Drafts = {};
const known = new Map<string, Drafts>();

function stored(session: string): Drafts {
  const found = known.get(session) ?? recall(name(session), NONE);
  known.set(session, found);
  return found;
}

function draftsOf(session: string): Drafts {
  return useDrafts.getState()[session] ?? stored(session);
}

function those(drafts: Drafts, keep: (place: string, text: string) => boolean): Drafts {
  return Object.fromEntries(Object.entries(drafts).filter(([place, text]) => keep(place, text)));
}

const isWritten = (_: string, text: string) => text !== "";

function save(session: string, drafts: Drafts): void {
  useDrafts.setState({ [session]: drafts });
  const written = those(drafts, isWritten);
  remember(name(session), Object.keys(written).length ? written : undefined);
}

/** Where somebody is writing. */
export function useDraftPlaces(session: string): string[] {
  return useDrafts(useShallow((all) => Object.keys(all[session] ?? stored(session))));
}

export function useDraft(session: string, place: string): string {
  return useDrafts((all) => (all[session] ?? stored(session))[place] ?? "");
}

/** What is there already stays, and other places at which nothing was written are closed. */
export function openDraft(session: string, place: string): void {
  const drafts = draftsOf(session);
  save(session, { ...those(drafts, isWritten), [place]: drafts[place] ?? "" });
}

export function changeDraft(session: string, place: string, text: string): void {
  save(session, { ...draftsOf(session), [place]: text });
}

export function closeDraft(session: string, place: string): void {
  save(
    session,
    those(draftsOf(session), (other) => other !== place),
  );
}

/** What another tab of this browser has written; fields that are open and empty here stay so. */
function follow({ key }: StorageEvent): void {
  const changed = key === null ? null : nameFrom(key);
  if (!changed?.startsWith(FOLDER)) return;
  const session = changed.slice(FOLDER.length);
  const empty = those(draftsOf(session), (_, text) => text === "");
  useDrafts.setState({ [session]: { ...empty, ...recall(changed, NONE) } });
}

window.addEventListener("storage", follow);
