// Amounts of bytes as people read them.
import type { Session } from "@/lib/api/types";

const UNITS = ["KB", "MB", "GB", "TB", "PB"];

export function formatSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes;
  let unit = -1;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** What was stored for how many days, such as `1.5 GB-days`. */
export function formatStored(byteDays: number): string {
  return `${formatSize(byteDays)}-days`;
}

/** What a session's disk takes, and of how much where that is enforced. */
export function diskWords({ bytes, limit }: NonNullable<Session["disk"]>): string {
  return limit === null ? formatSize(bytes) : `${formatSize(bytes)} of ${formatSize(limit)}`;
}
