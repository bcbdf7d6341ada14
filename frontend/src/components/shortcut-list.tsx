// All shortcuts, by where they work.
import { keysOf, SHORTCUTS } from "@/lib/shortcuts";
import { Keys } from "./keys";

export function ShortcutList() {
  const groups = [...new Set(SHORTCUTS.map((shortcut) => shortcut.group))];
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      {groups.map((group) => (
        <section key={group}>
          <h2 className="mb-1 text-xs font-semibold text-muted">{group}</h2>
          <dl className="flex flex-col">
            {SHORTCUTS.filter((shortcut) => shortcut.group === group).map(({ id, label }) => (
              <div
                key={id}
                className="flex items-center justify-between gap-3 border-border border-b py-1.5 text-sm"
              >
                <dt>{label}</dt>
                <dd>
                  <Keys keys={keysOf(id)} />
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}
