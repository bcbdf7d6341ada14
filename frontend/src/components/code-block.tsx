// A block of code with colours, once it is complete, and a button that copies it.
import { createContext, memo, type ReactNode, useContext, useEffect, useState } from "react";
import { type ColouredToken, highlight, languageOf } from "@/lib/highlight";
import { visible } from "@/lib/visible";
import { CopyButton } from "./copy-button";

/** What else can be done with a block of code, where somebody offers it. */
const Actions = createContext<(code: string, language: string) => ReactNode>(() => null);

export const CodeActions = Actions.Provider;

interface CodeBlockProps {
  code: string;
  /** As the fence names it. */
  language: string;
  isStreaming?: boolean;
}

export function CodeBlock({ code, language, isStreaming = false }: CodeBlockProps) {
  const actions = useContext(Actions);
  return (
    <div className="code-block overflow-hidden rounded-md border border-border bg-sunken">
      <div className="flex h-7 items-center justify-between border-border border-b pr-1 pl-3 text-2xs text-muted max-md:h-11">
        <span>{language || "text"}</span>
        <span className="flex items-center">
          {!isStreaming && actions(code, language)}
          <CopyButton text={code} what="Code" />
        </span>
      </div>
      <pre tabIndex={0} className="overflow-x-auto px-3 py-2 text-sm leading-normal">
        <HighlightedCode code={visible(code)} language={isStreaming ? null : languageOf(language)} />
      </pre>
    </div>
  );
}

interface HighlightedCodeProps {
  code: string;
  language: string | null;
}

/** The code itself; plain until the colours are there, so nothing moves when they come. */
export const HighlightedCode = memo(function HighlightedCode({ code, language }: HighlightedCodeProps) {
  const [coloured, setColoured] = useState<{ code: string; lines: ColouredToken[][] } | null>(null);
  useEffect(() => {
    if (!language) return;
    let isCurrent = true;
    void highlight(code, language).then((lines) => {
      if (isCurrent && lines) setColoured({ code, lines });
    });
    return () => {
      isCurrent = false;
    };
  }, [code, language]);
  if (coloured?.code !== code || !language) return <code>{code}</code>;
  return (
    <code>
      {coloured.lines.map((line, index) => (
        <span key={index}>
          {line.map((token, position) => (
            <Token key={position} token={token} />
          ))}
          {index < coloured.lines.length - 1 && "\n"}
        </span>
      ))}
    </code>
  );
});

function Token({ token }: { token: ColouredToken }) {
  if (!token.light) return token.text;
  const colours = { "--token-light": token.light, "--token-dark": token.dark } as React.CSSProperties;
  return (
    <span className="token" style={colours}>
      {token.text}
    </span>
  );
}
