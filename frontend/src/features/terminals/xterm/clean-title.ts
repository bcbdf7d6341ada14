// A title that a program gives its terminal: one short line, without characters that hide or turn others around.

const MOST = 80;
const UNWANTED = /[\p{C}\p{Zl}\p{Zp}\u115f\u1160\u2800\u3164\uffa0]/gu;

export function cleanTitle(title: string): string {
  const line = title.replace(UNWANTED, " ").replace(/\s+/gu, " ").trim();
  return [...line].slice(0, MOST).join("");
}
