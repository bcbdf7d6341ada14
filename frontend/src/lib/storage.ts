// What this browser remembers, as JSON in localStorage; storage that is full or forbidden is treated as empty.

const PREFIX = "openagent.";

export function recall<T>(name: string, fallback: T): T {
  try {
    const raw = localStorage.getItem(PREFIX + name);
    return raw === null ? fallback : (JSON.parse(raw) as T);
  } catch {
    return fallback;
  }
}

/** Undefined forgets. */
export function remember(name: string, value: unknown): void {
  try {
    if (value === undefined) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // A browser without storage still works; it only forgets.
  }
}

/** What is remembered under names that begin so. */
export function namesIn(folder: string): string[] {
  try {
    return Object.keys(localStorage)
      .flatMap((key) => nameFrom(key) ?? [])
      .filter((name) => name.startsWith(folder));
  } catch {
    return [];
  }
}

/** The name that a key of the browser's storage stands for; null if it is not one of ours. */
export function nameFrom(key: string): string | null {
  return key.startsWith(PREFIX) ? key.slice(PREFIX.length) : null;
}

const PERSONAL = /^openagent\.(draft\.|review\.|viewed\.|terminals\.|outbox|seen|new-session)/;

/** After signing out: the next person at this browser sees nothing of the last one. */
export function forgetEverythingPersonal(): void {
  try {
    for (const name of Object.keys(localStorage)) if (PERSONAL.test(name)) localStorage.removeItem(name);
  } catch {
    // Nothing was stored.
  }
}
