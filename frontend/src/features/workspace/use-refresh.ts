// Has what was read of a workspace read again when the log tells that files may have changed, a moment later.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

const MOMENT_MS = 1000;

/** `kinds` are the first words of the queries' keys; the session is the second. */
export function useRefreshOnChange(session: string, changes: number, kinds: readonly string[]): void {
  const queries = useQueryClient();
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    if (changes === 0 || waiting.current !== undefined) return;
    waiting.current = setTimeout(() => {
      waiting.current = undefined;
      for (const kind of kinds) void queries.invalidateQueries({ queryKey: [kind, session] });
    }, MOMENT_MS);
  }, [queries, session, changes, kinds]);
  useEffect(
    () => () => {
      clearTimeout(waiting.current);
      waiting.current = undefined;
    },
    [],
  );
}
