// An agent's markdown, half-streamed or whole. It is hostile text: no raw HTML, no pictures from elsewhere, and
// links that say where they lead.
import { ExternalLink } from "lucide-react";
import { type ComponentProps, type ComponentType, memo, type ReactNode } from "react";
import { defaultRehypePlugins, Streamdown, useIsCodeFenceIncomplete } from "streamdown";
import { visibleProse } from "@/lib/visible";
import { CodeBlock } from "./code-block";

const TAGS = [
  "p",
  "h1",
  "h2",
  "h3",
  "h4",
  "h5",
  "h6",
  "ul",
  "ol",
  "li",
  "hr",
  "strong",
  "blockquote",
  "table",
  "thead",
  "tbody",
  "tr",
  "th",
  "td",
  "sup",
  "sub",
] as const;
const PLAIN_TAGS = Object.fromEntries(TAGS.map((tag) => [tag, tag]));

interface HtmlNode {
  type: string;
  tagName?: string;
  value?: string;
  children?: HtmlNode[];
}

/** Characters that hide, or turn the rest of their paragraph, by number; blocks of code see to their own. */
function showHidden(node: HtmlNode): void {
  if (node.type === "text" && node.value) node.value = visibleProse(node.value);
  if (node.tagName !== "pre") node.children?.forEach(showHidden);
}

/** Without `raw`, HTML in the text stays text. */
const REHYPE = [
  ...[defaultRehypePlugins.sanitize, defaultRehypePlugins.harden].filter((plugin) => plugin !== undefined),
  () => showHidden,
];

/** The host that a link leads to; null for one that may not be followed. */
export function hostOf(href: string | undefined): string | null {
  try {
    const url = new URL(href ?? "");
    if (url.protocol === "mailto:") return url.pathname;
    return url.protocol === "http:" || url.protocol === "https:" ? url.host : null;
  } catch {
    return null;
  }
}

function textOf(children: ReactNode): string {
  if (typeof children === "string" || typeof children === "number") return String(children);
  return Array.isArray(children) ? children.map(textOf).join("") : "";
}

function SafeLink({ href, children }: ComponentProps<"a">) {
  const host = hostOf(href);
  if (!host) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
      {!textOf(children).includes(host) && <span className="text-muted"> ({host})</span>}
      <ExternalLink aria-label="opens in a new tab" className="ml-0.5 inline size-3 align-baseline" />
    </a>
  );
}

/** A picture's address would tell its host that somebody looks: it is offered as a link. */
function PictureLink({ src, alt }: ComponentProps<"img">) {
  const label = alt ? `Picture: ${alt}` : "Picture";
  return typeof src === "string" && hostOf(src) ? (
    <SafeLink href={src}>{label}</SafeLink>
  ) : (
    <span>[{label}]</span>
  );
}

function Code({ className, children, ...rest }: ComponentProps<"code"> & { "data-block"?: string }) {
  const isIncomplete = useIsCodeFenceIncomplete();
  if (!("data-block" in rest)) return <code>{children}</code>;
  const language = /language-(\S+)/.exec(className ?? "")?.[1] ?? "";
  return (
    <CodeBlock code={textOf(children).replace(/\n$/, "")} language={language} isStreaming={isIncomplete} />
  );
}

/** The box of a task in a list: the agent's, so nobody can tick it. */
function TaskMark({ checked }: ComponentProps<"input">) {
  return <input type="checkbox" disabled readOnly checked={checked} aria-label={checked ? "done" : "open"} />;
}

const COMPONENTS = {
  ...PLAIN_TAGS,
  a: SafeLink,
  img: PictureLink,
  input: TaskMark,
  code: Code as ComponentType<ComponentProps<"code">>,
};

interface MarkdownProps {
  text: string;
  /** Whether more may come: what is half-written is completed for the eye. */
  isStreaming?: boolean;
}

export const Markdown = memo(function Markdown({ text, isStreaming = false }: MarkdownProps) {
  return (
    <Streamdown
      className="prose"
      components={COMPONENTS}
      rehypePlugins={REHYPE}
      parseIncompleteMarkdown={isStreaming}
      isAnimating={isStreaming}
      controls={false}
      linkSafety={{ enabled: false }}
    >
      {text}
    </Streamdown>
  );
});
