// Where announcements are read out from. Mounted once.
import { useAnnouncements } from "@/lib/announce";

export function LiveRegions() {
  const { polite, assertive } = useAnnouncements();
  return (
    <div className="sr-only">
      <div role="status" aria-live="polite" data-testid="announcements">
        {polite}
      </div>
      <div role="alert" aria-live="assertive">
        {assertive}
      </div>
    </div>
  );
}
