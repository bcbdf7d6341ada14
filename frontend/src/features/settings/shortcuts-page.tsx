// The shortcuts, and which of them may be used.
import { Choice } from "@/components/form";
import { ShortcutList } from "@/components/shortcut-list";
import { setPreference, usePreferences } from "@/lib/preferences";

export function ShortcutsPage() {
  const { singleKeys, shiftTabMode } = usePreferences();
  return (
    <section aria-labelledby="shortcuts-title">
      <h1 id="shortcuts-title" className="text-xl font-semibold">
        Shortcuts
      </h1>
      <p className="mt-1 mb-4 text-sm text-muted">None of them is in the way while you type.</p>
      <Choice
        type="checkbox"
        label="Single keys"
        description="Those of the changes, Y and N on a card that has the focus, and ? for the list"
        checked={singleKeys}
        onChange={(event) => setPreference({ singleKeys: event.target.checked })}
      />
      <Choice
        type="checkbox"
        label="Shift+Tab in the composer chooses the next mode"
        description="Off, it goes to the control before, as everywhere"
        checked={shiftTabMode}
        onChange={(event) => setPreference({ shiftTabMode: event.target.checked })}
      />
      <div className="mt-4">
        <ShortcutList />
      </div>
    </section>
  );
}
