// The files of a session's workspace, read through its live instance.
import { queryOptions } from "@tanstack/react-query";
import { answerOf, api, requestHeaders } from "./client";
import { problemOf, Unreachable } from "./errors";

/** More than this is not shown as text, only offered for download. */
const MAX_SHOWN_BYTES = 512 * 1024;

export function filesQuery(session: string, path: string) {
  return queryOptions({
    queryKey: ["files", session, path],
    queryFn: () =>
      answerOf(
        api.GET("/api/v1/sessions/{id}/files/", { params: { path: { id: session }, query: { path } } }),
      ),
    staleTime: 2_000,
    retry: false,
  });
}

export type FileContent =
  | { kind: "text"; text: string }
  | { kind: "binary" }
  | { kind: "large"; size: number };

export function fileContentQuery(session: string, path: string) {
  return queryOptions({
    queryKey: ["file", session, path],
    queryFn: () => loadFile(session, path),
    staleTime: 2_000,
    retry: false,
  });
}

export function downloadAddress(session: string, path: string): string {
  return `/api/v1/sessions/${session}/files/content/?${new URLSearchParams({ path, download: "1" })}`;
}

async function loadFile(session: string, path: string): Promise<FileContent> {
  let response: Response;
  try {
    const address = `/api/v1/sessions/${session}/files/content/?${new URLSearchParams({ path })}`;
    response = await fetch(address, { credentials: "same-origin", headers: requestHeaders("GET") });
  } catch {
    throw new Unreachable();
  }
  if (!response.ok) throw problemOf(response, await response.json().catch(() => null));
  const size = Number(response.headers.get("Content-Length") ?? 0);
  if (size > MAX_SHOWN_BYTES) {
    await response.body?.cancel();
    return { kind: "large", size };
  }
  return decode(new Uint8Array(await response.arrayBuffer()));
}

function decode(bytes: Uint8Array): FileContent {
  if (bytes.length > MAX_SHOWN_BYTES) return { kind: "large", size: bytes.length };
  if (bytes.subarray(0, 8192).includes(0)) return { kind: "binary" };
  try {
    return { kind: "text", text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return { kind: "binary" };
  }
}
