// Comments on lines of the agent's changes, collected until they are sent to it as one prompt; kept in this browser.
import { create } from "zustand";
import { newId } from "@/lib/id";
import { nameFrom, recall, remember } from "@/lib/storage";

export interface ReviewComment {
  id: string;
  /** The place in the list of changes that it stands at. */
  place: string;
  path: string;
  /** Of the new file, or of the old one if the line was deleted; null if nobody knows. */
  line: number | null;
  isDeleted: boolean;
  code: string;
  text: string;
}

const FOLDER = "review.";
const name = (session: string) => FOLDER + session;

/** Only of sessions that were looked at since the page was opened; the rest is in storage. */
const useReviews = create<Record<string, ReviewComment[]>>(() => ({}));

const NONE: ReviewComment[] = [];
const known = new Map<string, ReviewComment[]>();

function stored(session: string): ReviewComment[] {
  const found = known.get(session) ?? recall(name(session), NONE);
  known.set(session, found);
  return found;
}

function save(session: string, comments: ReviewComment[]): void {
  useReviews.setState({ [session]: comments });
  remember(name(session), comments.length ? comments : undefined);
}

function commentsOf(session: string): ReviewComment[] {
  return useReviews.getState()[session] ?? stored(session);
}

export function useReview(session: string): ReviewComment[] {
  return useReviews((reviews) => reviews[session] ?? stored(session));
}

export function addComment(session: string, comment: Omit<ReviewComment, "id">): void {
  save(session, [...commentsOf(session), { ...comment, id: newId() }]);
}

export function removeComment(session: string, id: string): void {
  save(
    session,
    commentsOf(session).filter((comment) => comment.id !== id),
  );
}

export function clearReview(session: string): void {
  save(session, []);
}

/** Takes back that they were cleared; what was written since stays too. */
export function restoreReview(session: string, comments: readonly ReviewComment[]): void {
  save(session, [...comments, ...commentsOf(session)]);
}

/** The file that a place in the list of changes is of. */
export function pathOfPlace(place: string): string {
  return place.slice(0, place.lastIndexOf("#"));
}

/** What another tab of this browser has changed. */
function follow({ key }: StorageEvent): void {
  const changed = key === null ? null : nameFrom(key);
  if (!changed?.startsWith(FOLDER)) return;
  useReviews.setState({ [changed.slice(FOLDER.length)]: recall(changed, NONE) });
}

window.addEventListener("storage", follow);

/** The comments as a prompt, in the order of files and lines. */
export function promptOf(comments: readonly ReviewComment[]): string {
  const inOrder = [...comments].sort((a, b) => a.path.localeCompare(b.path) || (a.line ?? 0) - (b.line ?? 0));
  const points = inOrder.map(({ path, line, isDeleted, code, text }) => {
    const where = line === null ? path : `${path}:${line}`;
    const quoted = code.trim() ? ` \`${code.trim().replaceAll("`", "'").slice(0, 120)}\`` : "";
    const said = text.trim().replaceAll("\n", "\n  ");
    return `- ${where}${isDeleted ? " (deleted line)" : ""}${quoted}\n  ${said}`;
  });
  return `Please work on these comments on your changes:\n\n${points.join("\n")}\n`;
}
