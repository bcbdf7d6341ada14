// What changed in a session's workspace, asked of its live instance, and files put back.
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { answerOf, api } from "./client";
import { isCode } from "./errors";
import type { ChangeBase, ChangedFile, ChangeList } from "./types";

const BUSY_TRIES = 40;
const BUSY_MS = 1500;

export function changesQuery(session: string, base: ChangeBase) {
  return queryOptions({
    queryKey: ["changes", session, base],
    queryFn: (): Promise<ChangeList> =>
      answerOf(
        api.GET("/api/v1/sessions/{id}/changes/", { params: { path: { id: session }, query: { base } } }),
      ),
    staleTime: 2_000,
    // A large workspace takes its time, the first one.
    retry: (count, error) => isCode(error, "busy") && count < BUSY_TRIES,
    retryDelay: BUSY_MS,
  });
}

export interface DiffWish {
  linesAround: number;
  ignoreSpace: boolean;
}

export function changeDiffQuery(session: string, base: ChangeBase, file: ChangedFile, wish: DiffWish) {
  const { path, old_path, version } = file;
  const query = { base, path, old_path, lines_around: wish.linesAround, ignore_space: wish.ignoreSpace };
  return queryOptions({
    queryKey: ["change", session, query, version],
    queryFn: () =>
      answerOf(api.GET("/api/v1/sessions/{id}/changes/diff/", { params: { path: { id: session }, query } })),
    staleTime: 60_000,
    retry: false,
    placeholderData: keepPreviousData,
  });
}

/** Makes the file what it was in `base`; the answer is the base by which the same takes it back. */
export async function revertChange(session: string, base: string, file: ChangedFile): Promise<string> {
  const body = { base, path: file.path, old_path: file.old_path };
  const params = { path: { id: session } };
  return (await answerOf(api.POST("/api/v1/sessions/{id}/changes/revert/", { params, body }))).undo;
}
