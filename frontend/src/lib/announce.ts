// Words for people who hear the page: two live regions, filled from anywhere, shown by components/live-regions.
import { create } from "zustand";

interface Announcements {
  polite: string;
  assertive: string;
}

export const useAnnouncements = create<Announcements>(() => ({ polite: "", assertive: "" }));

export function announce(message: string, urgency: keyof Announcements = "polite"): void {
  // A region that already holds the same words would stay silent.
  const same = useAnnouncements.getState()[urgency] === message;
  useAnnouncements.setState({ [urgency]: same ? `${message}\u00a0` : message });
}
