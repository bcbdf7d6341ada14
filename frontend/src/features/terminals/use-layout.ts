// The arrangement of a session's terminals, remembered in this browser.
import { useState } from "react";
import { recall, remember } from "@/lib/storage";
import { arranged, type Layout } from "./layout";

export function useLayout(
  session: string,
  ids: readonly string[],
): { layout: Layout; setLayout: (change: (layout: Layout) => Layout) => void } {
  const name = `terminals.${session}`;
  const [stored, setStored] = useState<Layout>(() => recall<Layout>(name, []));
  const layout = arranged(stored, ids);
  const setLayout = (change: (layout: Layout) => Layout) => {
    setStored((before) => {
      const after = change(arranged(before, ids));
      remember(name, after);
      return after;
    });
  };
  return { layout, setLayout };
}
