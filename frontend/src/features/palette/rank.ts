// What fits best in the palette: words as they were typed, before letters that are merely somewhere in this order.
import { defaultFilter } from "cmdk";

/** 1 at the beginning of a word, less within one, little for scattered letters, 0 if it does not fit at all. */
export function rank(value: string, search: string): number {
  const text = value.toLowerCase();
  const words = search.trim().toLowerCase();
  if (` ${text}`.includes(` ${words}`)) return 1;
  if (text.includes(words)) return 0.8;
  return defaultFilter(value, search) * 0.1;
}
