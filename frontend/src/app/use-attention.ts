// How many things wait for a person: in the document's title and in its icon, for whoever looks elsewhere.
import { useEffect } from "react";
import { create } from "zustand";

const NAME = "OpenAgent";

/** The title of the page that is shown, without the count. */
const usePageTitle = create(() => ({ title: "" }));

export function useDocumentTitle(title: string): void {
  useEffect(() => {
    usePageTitle.setState({ title });
    return () => usePageTitle.setState({ title: "" });
  }, [title]);
}

function icon(waiting: string): string {
  if (!waiting) return "/favicon.svg";
  const count = waiting.length > 1 ? "9+" : waiting;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#b45309"/><text x="16" y="23" font-family="system-ui,sans-serif" font-size="${count.length > 1 ? 16 : 20}" font-weight="700" fill="#fff" text-anchor="middle">${count}</text></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** `waiting` is how many, in words; empty if none. */
export function useAttention(waiting: string): void {
  const { title } = usePageTitle();
  useEffect(() => {
    const name = title ? `${title} · ${NAME}` : NAME;
    document.title = waiting ? `(${waiting}) ${name}` : name;
    document.querySelector<HTMLLinkElement>("link[rel=icon]")?.setAttribute("href", icon(waiting));
  }, [title, waiting]);
}
