// How this person wants the screens, kept in this browser.
import { create } from "zustand";
import { recall, remember } from "./storage";

export type Theme = "system" | "light" | "dark";
export type Density = "comfortable" | "compact";

/** Which changes of a session are shown: all since it began, since its last prompt, or the agent's own edits. */
export type ChangesView = "start" | "turn" | "edits";

export interface Preferences {
  theme: Theme;
  density: Density;
  /** Letters such as y and n on a focused card, and `?`. */
  singleKeys: boolean;
  /** Shift+Tab in the composer changes the mode instead of going back. */
  shiftTabMode: boolean;
  /** Terminals describe what they show for screen readers. */
  screenReader: boolean;
  /** This device tells when an agent waits and nobody looks. */
  notifies: boolean;
  isSidebarShown: boolean;
  isPanelShown: boolean;
  /** Where there is room, the old file stands beside the new one. */
  isDiffSplit: boolean;
  changesView: ChangesView;
  /** Lines whose spaces alone changed count as the same. */
  isSpaceIgnored: boolean;
}

const DEFAULTS: Preferences = {
  theme: "system",
  density: "comfortable",
  singleKeys: true,
  shiftTabMode: false,
  screenReader: false,
  notifies: false,
  isSidebarShown: true,
  isPanelShown: true,
  isDiffSplit: false,
  changesView: "start",
  isSpaceIgnored: false,
};

export const usePreferences = create<Preferences>(() => ({
  ...DEFAULTS,
  ...recall<Partial<Preferences>>("preferences", {}),
}));

export function setPreference(change: Partial<Preferences>): void {
  usePreferences.setState(change);
}

/** Puts theme and density on the document, now and whenever they change. */
export function applyPreferences(): void {
  const apply = (preferences: Preferences) => {
    document.documentElement.dataset.theme = preferences.theme;
    document.documentElement.dataset.density = preferences.density;
  };
  apply(usePreferences.getState());
  usePreferences.subscribe((preferences) => {
    apply(preferences);
    remember("preferences", preferences);
  });
}
