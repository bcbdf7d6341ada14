// Which files the agent's own edits touched in this session, from the diffs of its tool calls.
import type { Conversation } from "@/protocol/conversation";
import type { FileDiff } from "@/protocol/events";

export interface ChangedFile {
  path: string;
  additions: number;
  deletions: number;
  /** In the order in which they were made. */
  edits: { seq: number; diff: FileDiff }[];
}

export function changedFiles(conversation: Conversation): ChangedFile[] {
  const files = new Map<string, ChangedFile>();
  for (const turn of conversation.turns) {
    for (const item of turn.items) {
      // A diff may come with the question whether it may be made: only what was done counts.
      if (item.type !== "tool" || item.status !== "completed") continue;
      for (const diff of item.diffs) add(files, item.seq, diff);
    }
  }
  return [...files.values()].sort((a, b) => a.path.localeCompare(b.path));
}

function add(files: Map<string, ChangedFile>, seq: number, diff: FileDiff): void {
  const path = diff.path.replace(/^\/workspace\//, "");
  const file = files.get(path) ?? { path, additions: 0, deletions: 0, edits: [] };
  file.additions += diff.additions ?? 0;
  file.deletions += diff.deletions ?? 0;
  file.edits.push({ seq, diff });
  files.set(path, file);
}
