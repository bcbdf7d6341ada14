// How this browser arranges a session's terminals: tabs in an order, each with one or more panes. Pure.

/** Tabs from left to right; in each the terminals that are shown together. */
export type Layout = readonly (readonly string[])[];

export const MOST_PANES = 3;

/** The layout for the terminals that there are: gone ones are taken out, new ones get a tab at the end. */
export function arranged(layout: Layout, ids: readonly string[]): Layout {
  const known = new Set(layout.flat());
  const kept = layout.map((tab) => tab.filter((id) => ids.includes(id))).filter((tab) => tab.length > 0);
  return [...kept, ...ids.filter((id) => !known.has(id)).map((id) => [id])];
}

/** The tab that shows it, or -1. */
export function tabOf(layout: Layout, id: string | undefined): number {
  return id === undefined ? -1 : layout.findIndex((tab) => tab.includes(id));
}

/** `added` beside `id`, in the same tab; in one of its own if there is no room. */
export function splitBeside(layout: Layout, id: string, added: string): Layout {
  const without = take(layout, added);
  const index = tabOf(without, id);
  const tab = without[index];
  if (!tab || tab.length >= MOST_PANES) return [...without, [added]];
  const at = tab.indexOf(id) + 1;
  return without.with(index, [...tab.slice(0, at), added, ...tab.slice(at)]);
}

/** A pane becomes a tab of its own, behind the one that it was in. */
export function separated(layout: Layout, id: string): Layout {
  const index = tabOf(layout, id);
  const tab = layout[index];
  if (!tab || tab.length === 1) return layout;
  return [...layout.slice(0, index), tab.filter((other) => other !== id), [id], ...layout.slice(index + 1)];
}

/** The tab at `from` goes to `to`. */
export function moved(layout: Layout, from: number, to: number): Layout {
  const tab = layout[from];
  const target = Math.max(0, Math.min(to, layout.length - 1));
  if (!tab || from === target) return layout;
  const others = layout.toSpliced(from, 1);
  return others.toSpliced(target, 0, tab);
}

/** What is shown when `id` goes: its neighbour in the tab, or the next tab's first one. */
export function neighbourOf(layout: Layout, id: string): string | undefined {
  const index = tabOf(layout, id);
  const tab = layout[index] ?? [];
  const place = tab.indexOf(id);
  return tab[place + 1] ?? tab[place - 1] ?? (layout[index + 1] ?? layout[index - 1])?.[0];
}

function take(layout: Layout, id: string): Layout {
  return layout.map((tab) => tab.filter((other) => other !== id)).filter((tab) => tab.length > 0);
}
