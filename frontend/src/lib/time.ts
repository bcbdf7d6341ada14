// Times and durations in words.
import { useSyncExternalStore } from "react";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** "just now", "5 min ago", "3 h ago", "yesterday", "12 Nov". */
export function relativeTime(iso: string, now: number): string {
  const then = Date.parse(iso);
  const seconds = Math.max(0, (now - then) / 1000);
  if (seconds < 45) return "just now";
  if (seconds < HOUR) return `${Math.max(1, Math.round(seconds / MINUTE))} min ago`;
  if (seconds < DAY) return `${Math.round(seconds / HOUR)} h ago`;
  if (seconds < 2 * DAY) return "yesterday";
  if (seconds < 7 * DAY) return `${Math.round(seconds / DAY)} days ago`;
  const date = new Date(then);
  const year = date.getFullYear() === new Date(now).getFullYear() ? undefined : "numeric";
  return date.toLocaleDateString(undefined, { day: "numeric", month: "short", year });
}

export function absoluteTime(iso: string): string {
  return new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** "14:05"; on another day with that day: "Mon 14:05". */
export function timeOfDay(iso: string, now = Date.now()): string {
  const time = { hour: "2-digit", minute: "2-digit" } as const;
  const date = new Date(iso);
  return isSameDay(iso, now)
    ? date.toLocaleTimeString(undefined, time)
    : date.toLocaleString(undefined, { weekday: "short", ...time });
}

/** A clock: "0:42", "12:05", "1:02:03". */
export function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / MINUTE) % 60;
  const hours = Math.floor(seconds / HOUR);
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** A finished duration: "0.1 s", "3.2 s", "48 s", "2 min 5 s". */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 2 * MINUTE) return `${Math.round(seconds)} s`;
  const rest = Math.round(seconds % MINUTE);
  return rest ? `${Math.floor(seconds / MINUTE)} min ${rest} s` : `${Math.floor(seconds / MINUTE)} min`;
}

/** A span that somebody has set, in words: "a day", "3 days", "an hour", "90 minutes". */
export function spanWords(seconds: number): string {
  const [unit, article, size] =
    seconds >= DAY && seconds % DAY === 0
      ? ["day", "a", DAY]
      : seconds >= HOUR && seconds % HOUR === 0
        ? ["hour", "an", HOUR]
        : ["minute", "a", MINUTE];
  const count = Math.max(1, Math.round(seconds / size));
  return count === 1 ? `${article} ${unit}` : `${count} ${unit}s`;
}

/** Milliseconds from the beginning to the end, null before it has ended. */
export function took({
  started_at,
  ended_at,
}: {
  started_at: string;
  ended_at: string | null;
}): number | null {
  return ended_at === null ? null : Math.max(0, Date.parse(ended_at) - Date.parse(started_at));
}

export function isSameDay(iso: string, now: number): boolean {
  return new Date(iso).toDateString() === new Date(now).toDateString();
}

/** One timer for everything on the page that counts. */
function ticker(everyMs: number) {
  const listeners = new Set<() => void>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let now = Date.now();
  const tick = () => {
    now = Date.now();
    for (const listener of listeners) listener();
  };
  return {
    subscribe(listener: () => void) {
      listeners.add(listener);
      if (timer === undefined) {
        now = Date.now();
        timer = setInterval(tick, everyMs);
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) {
          clearInterval(timer);
          timer = undefined;
        }
      };
    },
    read: () => now,
  };
}

const seconds = ticker(1000);
const halfMinutes = ticker(30_000);

/** Renders again every second. The value is only for noticing; read the clock that you need. */
export function useSeconds(): number {
  return useSyncExternalStore(seconds.subscribe, seconds.read);
}

export function useHalfMinutes(): number {
  return useSyncExternalStore(halfMinutes.subscribe, halfMinutes.read);
}
