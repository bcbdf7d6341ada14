// Text at offsets that count Unicode code points, as Python does; JavaScript strings count UTF-16 units.

const SURROGATE = /[\uD800-\uDFFF]/;

/** How many code points `text` has. */
export function codePointLength(text: string): number {
  if (!SURROGATE.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** The index in UTF-16 units at which code point number `offset` begins. */
function unitIndex(text: string, offset: number): number {
  let index = 0;
  for (let count = 0; count < offset && index < text.length; count += 1) {
    index += (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
  }
  return index;
}

export interface Measured {
  text: string;
  /** In code points. */
  length: number;
}

/**
 * `old` with `text` standing at code point `offset`; past the end it is appended. Repeating it changes nothing.
 * `length` is the length of `old`, which callers remember so that a long stream is not measured again and again.
 */
export function mergeText(old: string, length: number, offset: number, text: string): Measured {
  const added = codePointLength(text);
  if (offset >= length) return { text: old + text, length: length + added };
  const end = offset + added;
  const merged = Math.max(length, end);
  if (old.length === length) return { text: old.slice(0, offset) + text + old.slice(end), length: merged };
  return {
    text: old.slice(0, unitIndex(old, offset)) + text + old.slice(unitIndex(old, end)),
    length: merged,
  };
}
