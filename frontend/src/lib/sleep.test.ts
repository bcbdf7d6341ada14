import { describe, expect, it } from "vitest";
import { isKept, keptWords, sleepWords } from "./sleep";

const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();

describe("a session that is idle", () => {
  const idle = { sleeps_at: inMinutes(3.5), kept_until: null } as const;

  it("says in how many minutes it sleeps", () => {
    expect(sleepWords(idle)).toBe("sleeps in 4 min");
    expect(sleepWords({ ...idle, sleeps_at: inMinutes(0.5) })).toBe("falls asleep in less than a minute");
    expect(sleepWords({ ...idle, sleeps_at: inMinutes(-2) })).toBe("falls asleep in less than a minute");
  });

  it("says nothing while that is far off", () => {
    expect(sleepWords({ ...idle, sleeps_at: null })).toBeNull();
  });

  it("is kept until its time is over", () => {
    const kept = { ...idle, sleeps_at: null, kept_until: inMinutes(60) };
    expect(isKept(kept)).toBe(true);
    expect(keptWords(kept)).toMatch(/^kept awake until .*\d/);
    expect(keptWords({ ...kept, kept_until: inMinutes(-1) })).toBeNull();
    expect(keptWords(idle)).toBeNull();
  });
});
