// What the programs in the terminals call themselves, for the tabs.
import { create } from "zustand";

const useTitles = create<Record<string, string>>(() => ({}));

export function noteProgramTitle(id: string, title: string): void {
  useTitles.setState({ [id]: title });
}

export function useProgramTitles(): Record<string, string> {
  return useTitles();
}
