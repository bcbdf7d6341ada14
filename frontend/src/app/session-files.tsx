// The files of a session as its address names them: a folder, or a file and a line of it.
import { useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import type { ComponentProps } from "react";
import type { LinePlace } from "@/features/workspace/file-lines";
import { FilesPanel } from "@/features/workspace/files-panel";

type Rest = Pick<ComponentProps<typeof FilesPanel>, "onOpen" | "changes" | "box" | "onWake" | "disk">;

export function SessionFiles({ id, ...rest }: Rest & { id: string }) {
  const { path, file } = useSearch({ from: "/sessions/$sessionId" });
  const place = useLinePlace(id);
  return <FilesPanel session={id} path={path ?? ""} isFile={file ?? false} place={place} {...rest} />;
}

const EXAMPLE = 987_654_321;

/** The line of the open file: every one has an address, and choosing one leaves no trail behind. */
function useLinePlace(id: string): LinePlace {
  const { line, ...search } = useSearch({ from: "/sessions/$sessionId" });
  const navigate = useNavigate();
  const router = useRouter();
  const session = { to: "/sessions/$sessionId", params: { sessionId: id } } as const;
  // Made once, not for each of thousands.
  const [before, after] = router
    .buildLocation({ ...session, search: { ...search, line: EXAMPLE } })
    .href.split(String(EXAMPLE));
  return {
    line: line ?? null,
    addressOf: (wanted) => `${before}${wanted}${after ?? ""}`,
    onLine: (wanted) => void navigate({ ...session, search: { ...search, line: wanted }, replace: true }),
  };
}
