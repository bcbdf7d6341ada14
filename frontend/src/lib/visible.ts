// What people decide upon must look like what it is: characters that hide, or turn the order of others, by number.

/** Control and format characters and invisible letters; emoji keep the joiners within them. */
const HIDDEN =
  /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\u115f\u1160\u2800\u3164\uffa0]|(?!\u200d)\p{Cf}|(?<!\p{Extended_Pictographic})(?<!\ufe0f)\u200d/gu;

/** What scripts are written with (joiners between letters, marks of direction, soft hyphens) hides nothing in prose. */
const OF_SCRIPTS = /[\u00ad\u061c\u200c-\u200f]/;

export function visible(text: string): string {
  return text.replace(HIDDEN, byNumber);
}

/** As `visible`, for text that is read and not decided upon, in whatever language. */
export function visibleProse(text: string): string {
  return text.replace(HIDDEN, (character) => (OF_SCRIPTS.test(character) ? character : byNumber(character)));
}

function byNumber(character: string): string {
  const number = character.codePointAt(0) ?? 0;
  return `⟨U+${number.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}
