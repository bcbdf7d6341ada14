// Theme, density, what screen readers need, and whether this device tells when an agent waits.
import { useState } from "react";
import { Choice } from "@/components/form";
import { useIsTouch } from "@/lib/media";
import { canNotify, mayNotify } from "@/lib/notifications";
import { type Density, setPreference, type Theme, usePreferences } from "@/lib/preferences";

const THEMES: { id: Theme; label: string; description?: string }[] = [
  { id: "system", label: "As the system", description: "Follows the setting of this device" },
  { id: "light", label: "Light" },
  { id: "dark", label: "Dark" },
];

const DENSITIES: { id: Density; label: string; description: string }[] = [
  { id: "comfortable", label: "Comfortable", description: "More room between lines" },
  { id: "compact", label: "Compact", description: "More on one screen" },
];

export function AppearancePage() {
  const { theme, density, screenReader } = usePreferences();
  return (
    <section aria-labelledby="appearance-title">
      <h1 id="appearance-title" className="text-xl font-semibold">
        Appearance
      </h1>
      <p className="mt-1 mb-4 text-sm text-muted">Kept in this browser.</p>
      <div className="flex flex-col gap-5">
        <fieldset>
          <legend className="mb-1 text-sm font-semibold">Theme</legend>
          {THEMES.map((option) => (
            <Choice
              key={option.id}
              type="radio"
              name="theme"
              label={option.label}
              description={option.description}
              checked={theme === option.id}
              onChange={() => setPreference({ theme: option.id })}
            />
          ))}
        </fieldset>
        <fieldset>
          <legend className="mb-1 text-sm font-semibold">Density</legend>
          {DENSITIES.map((option) => (
            <Choice
              key={option.id}
              type="radio"
              name="density"
              label={option.label}
              description={option.description}
              checked={density === option.id}
              onChange={() => setPreference({ density: option.id })}
            />
          ))}
        </fieldset>
        <fieldset>
          <legend className="mb-1 text-sm font-semibold">Terminals</legend>
          <Choice
            type="checkbox"
            label="Screen reader mode"
            description="Their lines can be read and new output is announced; they are slower then"
            checked={screenReader}
            onChange={(event) => setPreference({ screenReader: event.target.checked })}
          />
        </fieldset>
        <Notifications />
      </div>
    </section>
  );
}

function Notifications() {
  const notifies = usePreferences((preferences) => preferences.notifies);
  const [isRefused, setIsRefused] = useState(false);
  // Telephones have them only for pages that work without being open.
  if (useIsTouch() || !canNotify()) return null;
  const change = async (wanted: boolean) => {
    const isAllowed = wanted && (await mayNotify());
    setIsRefused(wanted && !isAllowed);
    setPreference({ notifies: isAllowed });
  };
  return (
    <fieldset>
      <legend className="mb-1 text-sm font-semibold">Notifications</legend>
      <Choice
        type="checkbox"
        label="When an agent waits for an answer"
        description="While you look elsewhere and a page of OpenAgent is open"
        checked={notifies}
        onChange={(event) => void change(event.target.checked)}
      />
      {isRefused && (
        <p role="alert" className="text-xs text-bad">
          The browser refuses them for this site; its own settings can allow them.
        </p>
      )}
    </fieldset>
  );
}
