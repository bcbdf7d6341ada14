// The live view of a session for React: one feed per session that is looked at, published once per frame.
import { useEffect } from "react";
import { createStore, type StoreApi, useStore } from "zustand";
import type { LogEvent } from "@/protocol/events";
import { type Connection, type FeedView, SessionFeed, SnapshotRefused } from "@/protocol/session-feed";
import { ApiError, isSignedOut } from "../api/errors";
import { loadConversation } from "../api/sessions";
import type { SessionState } from "../api/types";
import { frameBatch } from "./frame-batch";
import { NO_SIDE_NOTES, type SideNotes, withSideNote } from "./side-notes";

export interface LiveSession extends FeedView<SessionState> {
  notes: SideNotes;
  /** The connection was lost and is not back: what is shown is how things stood when it was last heard of. */
  isOutdated: boolean;
}

interface Live {
  store: StoreApi<LiveSession>;
  feed: SessionFeed<SessionState>;
  viewers: number;
  closing: ReturnType<typeof setTimeout> | undefined;
}

const signedOutListeners = new Set<() => void>();

/** Calls `listener` when a socket says that nobody is signed in. */
export function onLiveSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

/** A session that was left is kept open this long, so that going back and forth costs nothing. */
const LINGER_MS = 20_000;
const open = new Map<string, Live>();
const LOST = new Set<Connection["state"]>(["silent", "disconnected", "ended"]);

function socketAddress(session: string, after: string): string {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return `${scheme}://${location.host}/ws/sessions/${session}/?after=${after}`;
}

async function snapshotOf(session: string) {
  try {
    return await loadConversation(session);
  } catch (error) {
    if (isSignedOut(error)) throw new SnapshotRefused("signed_out");
    if (error instanceof ApiError && error.status === 404) throw new SnapshotRefused("gone");
    if (error instanceof ApiError && error.status === 403) throw new SnapshotRefused("forbidden");
    throw error;
  }
}

function makeLive(session: string): Live {
  let notes = NO_SIDE_NOTES;
  let isOutdated = false;
  const batch = frameBatch(() => store.setState({ ...feed.view, notes, isOutdated }, true));
  const feed = new SessionFeed<SessionState>({
    loadSnapshot: () => snapshotOf(session),
    url: (after) => socketAddress(session, after),
    onEvent: (event: LogEvent) => {
      notes = withSideNote(notes, event);
    },
    onChange: ({ connection }) => {
      batch.request();
      // While it connects again nothing is known yet.
      if (connection.state === "live") isOutdated = false;
      else if (LOST.has(connection.state)) isOutdated = true;
      if (connection.state === "ended" && connection.reason === "signed_out") {
        for (const listener of signedOutListeners) listener();
      }
    },
  });
  const store = createStore<LiveSession>(() => ({ ...feed.view, notes, isOutdated }));
  return { store, feed, viewers: 0, closing: undefined };
}

function liveOf(session: string): Live {
  const known = open.get(session);
  if (known) return known;
  const live = makeLive(session);
  open.set(session, live);
  return live;
}

function hold(session: string): () => void {
  const live = liveOf(session);
  clearTimeout(live.closing);
  live.viewers += 1;
  if (live.viewers === 1 && !live.feed.isRunning) live.feed.start();
  return () => {
    live.viewers -= 1;
    if (live.viewers > 0) return;
    live.closing = setTimeout(() => {
      live.feed.close();
      open.delete(session);
    }, LINGER_MS);
  };
}

/** Keeps the session's feed running while the component is mounted. */
export function useHoldSession(session: string): void {
  useEffect(() => hold(session), [session]);
}

export function useLiveSession<T>(session: string, select: (live: LiveSession) => T): T {
  return useStore(liveOf(session).store, select);
}

/** Whether what is shown of a session may be out of date. */
export function useIsOutdated(session: string): boolean {
  return useLiveSession(session, (live) => live.isOutdated);
}

/** Starts a feed that has ended or waits: after signing in again, or when the user does not want to wait. */
export function reconnect(session: string): void {
  open.get(session)?.feed.start();
}

/** After signing in again: everything that ended because nobody was signed in. */
export function resumeAfterSignIn(): void {
  for (const { feed } of open.values()) {
    const { connection } = feed.view;
    if (connection.state === "ended" && connection.reason === "signed_out") feed.start();
  }
}

function nudgeAll(): void {
  if (document.visibilityState === "hidden") return;
  for (const { feed } of open.values()) feed.nudge();
}

window.addEventListener("online", nudgeAll);
document.addEventListener("visibilitychange", nudgeAll);
