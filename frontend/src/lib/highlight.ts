// Colours for code: shiki's core with the JavaScript engine (no WebAssembly, so no exception in the content
// security policy), its grammars loaded when they are first needed.
import type { HighlighterCore, LanguageInput, ThemedToken } from "shiki/core";

type Load = () => Promise<{ default: LanguageInput }>;

const LANGUAGES: Record<string, Load> = {
  bash: () => import("@shikijs/langs/bash"),
  c: () => import("@shikijs/langs/c"),
  cpp: () => import("@shikijs/langs/cpp"),
  css: () => import("@shikijs/langs/css"),
  diff: () => import("@shikijs/langs/diff"),
  docker: () => import("@shikijs/langs/docker"),
  go: () => import("@shikijs/langs/go"),
  html: () => import("@shikijs/langs/html"),
  ini: () => import("@shikijs/langs/ini"),
  java: () => import("@shikijs/langs/java"),
  javascript: () => import("@shikijs/langs/javascript"),
  json: () => import("@shikijs/langs/json"),
  jsx: () => import("@shikijs/langs/jsx"),
  make: () => import("@shikijs/langs/make"),
  markdown: () => import("@shikijs/langs/markdown"),
  php: () => import("@shikijs/langs/php"),
  python: () => import("@shikijs/langs/python"),
  ruby: () => import("@shikijs/langs/ruby"),
  rust: () => import("@shikijs/langs/rust"),
  sql: () => import("@shikijs/langs/sql"),
  toml: () => import("@shikijs/langs/toml"),
  tsx: () => import("@shikijs/langs/tsx"),
  typescript: () => import("@shikijs/langs/typescript"),
  xml: () => import("@shikijs/langs/xml"),
  yaml: () => import("@shikijs/langs/yaml"),
};

const ALIASES: Record<string, string> = {
  cc: "cpp",
  dockerfile: "docker",
  h: "c",
  hpp: "cpp",
  htm: "html",
  js: "javascript",
  makefile: "make",
  md: "markdown",
  mjs: "javascript",
  py: "python",
  rb: "ruby",
  rs: "rust",
  sh: "bash",
  shell: "bash",
  svg: "xml",
  ts: "typescript",
  yml: "yaml",
  zsh: "bash",
};

/** Longer code is shown without colours rather than with a pause. */
const MAX_LENGTH = 60_000;

/** The language by a fence's name or a file's extension; null when there are no colours for it. */
export function languageOf(name: string): string | null {
  const lower = name.toLowerCase();
  const language = ALIASES[lower] ?? lower;
  return Object.hasOwn(LANGUAGES, language) ? language : null;
}

export function languageOfPath(path: string): string | null {
  const file = path.slice(path.lastIndexOf("/") + 1);
  return languageOf(file.includes(".") ? file.slice(file.lastIndexOf(".") + 1) : file);
}

let highlighter: Promise<HighlighterCore> | undefined;

async function makeHighlighter(): Promise<HighlighterCore> {
  const [{ createHighlighterCore }, { createJavaScriptRegexEngine }, light, dark] = await Promise.all([
    import("shiki/core"),
    import("shiki/engine/javascript"),
    import("@shikijs/themes/github-light-high-contrast"),
    import("@shikijs/themes/github-dark-default"),
  ]);
  return createHighlighterCore({
    themes: [light.default, dark.default],
    langs: [],
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  });
}

export interface ColouredToken {
  text: string;
  light: string;
  dark: string;
}

/** Lines of coloured tokens; null where colours are not worth it. */
export async function highlight(code: string, language: string): Promise<ColouredToken[][] | null> {
  const load = LANGUAGES[language];
  if (!load || code.length > MAX_LENGTH) return null;
  highlighter ??= makeHighlighter();
  const shiki = await highlighter;
  if (!shiki.getLoadedLanguages().includes(language)) await shiki.loadLanguage((await load()).default);
  const themes = { light: "github-light-high-contrast", dark: "github-dark-default" };
  const { tokens } = shiki.codeToTokens(code, { lang: language, themes, defaultColor: false });
  return tokens.map((line) => line.map(coloured));
}

function coloured(token: ThemedToken): ColouredToken {
  const style = token.htmlStyle ?? {};
  return { text: token.content, light: style["--shiki-light"] ?? "", dark: style["--shiki-dark"] ?? "" };
}
