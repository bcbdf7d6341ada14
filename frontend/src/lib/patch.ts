// Reads unified patches line by line, as data: a patch comes from the box and may be anything.

export interface PatchLine {
  kind: "add" | "delete" | "context" | "hunk" | "note";
  text: string;
  oldLine: number | null;
  newLine: number | null;
}

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@(.*)$/;
const HEADER =
  /^(diff |index |--- |\+\+\+ |Index: |={3,}|(new|deleted) file mode |(old|new) mode |similarity |rename )/;

/** The lines of a patch without its file headers; text before the first hunk is taken as lines of a bare diff. */
export function parsePatch(patch: string): PatchLine[] {
  const lines = patch.split("\n");
  if (lines.at(-1) === "") lines.pop();
  const parsed: PatchLine[] = [];
  let oldLine = 1;
  let newLine = 1;
  let inHunk = false;
  for (const line of lines) {
    const hunk = HUNK.exec(line);
    if (hunk) {
      oldLine = Number(hunk[1]);
      newLine = Number(hunk[2]);
      inHunk = true;
      parsed.push({ kind: "hunk", text: line, oldLine: null, newLine: null });
    } else if (!inHunk && HEADER.test(line)) {
      // The file's name is shown above the diff.
    } else if (line.startsWith("\\")) {
      parsed.push({ kind: "note", text: line.slice(1).trim(), oldLine: null, newLine: null });
    } else if (line.startsWith("+")) {
      parsed.push({ kind: "add", text: line.slice(1), oldLine: null, newLine: newLine++ });
    } else if (line.startsWith("-")) {
      parsed.push({ kind: "delete", text: line.slice(1), oldLine: oldLine++, newLine: null });
    } else if (/^diff /.test(line)) {
      inHunk = false;
    } else {
      parsed.push({ kind: "context", text: line.replace(/^ /, ""), oldLine: oldLine++, newLine: newLine++ });
    }
  }
  return parsed;
}

/** How many lines a patch adds and deletes. */
export function countPatch(lines: PatchLine[]): { additions: number; deletions: number } {
  const count = (kind: PatchLine["kind"]) => lines.filter((line) => line.kind === kind).length;
  return { additions: count("add"), deletions: count("delete") };
}

/** A line of a patch and its place among all. */
export interface PlacedLine {
  line: PatchLine;
  index: number;
}

/** What stands side by side: the old file's line and the new one's; of a hunk's head or a note only `whole`. */
export interface PatchRow {
  old: PlacedLine | null;
  new: PlacedLine | null;
  whole: PlacedLine | null;
}

/** The lines side by side: what was deleted beside what was added in its place. */
export function sideBySide(lines: readonly PatchLine[]): PatchRow[] {
  const rows: PatchRow[] = [];
  /** The first row of this change that still has room for an added line. */
  let free = 0;
  lines.forEach((line, index) => {
    const placed = { line, index };
    if (line.kind === "delete") {
      rows.push({ old: placed, new: null, whole: null });
      return;
    }
    const row = rows[free];
    if (line.kind === "add" && row) row.new = placed;
    else if (line.kind === "add") rows.push({ old: null, new: placed, whole: null });
    else if (line.kind === "context") rows.push({ old: placed, new: placed, whole: null });
    else rows.push({ old: null, new: null, whole: placed });
    free = line.kind === "add" ? free + 1 : rows.length;
  });
  return rows;
}
