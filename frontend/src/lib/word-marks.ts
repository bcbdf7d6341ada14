// Which part of a changed line is new or gone, found beside the line that it stands for.
import type { PatchLine } from "./patch";

/** From this place of the text to that one. */
export type WordMark = readonly [from: number, to: number];

/** Longer lines are written by programs, and nobody reads them word by word. */
const MAX_LINE = 1000;
const WORD = /[\p{L}\p{N}_]/u;

/** By the place of the line in the patch. Lines that have little in common have no mark. */
export function wordMarks(lines: readonly PatchLine[]): Map<number, WordMark> {
  const marks = new Map<number, WordMark>();
  for (let at = 0; at < lines.length; ) {
    const deleted = runOf(lines, at, "delete");
    const added = runOf(lines, at + deleted, "add");
    for (let step = 0; step < Math.min(deleted, added); step++) {
      markPair(lines, at + step, at + deleted + step, marks);
    }
    at += deleted + added || 1;
  }
  return marks;
}

function runOf(lines: readonly PatchLine[], from: number, kind: PatchLine["kind"]): number {
  let count = 0;
  while (lines[from + count]?.kind === kind) count++;
  return count;
}

function markPair(lines: readonly PatchLine[], at: number, bt: number, marks: Map<number, WordMark>): void {
  const a = lines[at]?.text ?? "";
  const b = lines[bt]?.text ?? "";
  const most = Math.min(a.length, b.length);
  if (Math.max(a.length, b.length) > MAX_LINE) return;
  let start = 0;
  while (start < most && a[start] === b[start]) start++;
  let end = 0;
  while (end < most - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  // Whole words: half of one says nothing.
  while (start > 0 && isInWord(a, start) && isInWord(b, start)) start--;
  while (end > 0 && isInWord(a, a.length - end) && isInWord(b, b.length - end)) end--;
  const common = a.slice(0, start).trim().length + a.slice(a.length - end).trim().length;
  if (common * 3 < most) return;
  if (start < a.length - end) marks.set(at, [start, a.length - end]);
  if (start < b.length - end) marks.set(bt, [start, b.length - end]);
}

/** Whether the place is within a word, or within a character. */
function isInWord(text: string, place: number): boolean {
  const before = text[place - 1] ?? "";
  const after = text[place] ?? "";
  return (isPartOfWord(before) && isPartOfWord(after)) || isHalf(after);
}

const isPartOfWord = (character: string) =>
  WORD.test(character) || isHalf(character) || isHalf(character, 0xd800);

const isHalf = (character: string, from = 0xdc00) => {
  const code = character.charCodeAt(0);
  return code >= from && code < from + 0x400;
};
