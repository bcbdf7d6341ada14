// The platform's clock as seen from here, so that "running for 0:42" is right on a device whose clock is wrong.

let offset = 0;

/** Learns from a response's Date header, which has whole seconds: a difference within those says nothing. */
export function noteServerTime(date: string | null): void {
  const server = date ? Date.parse(date) + 500 : Number.NaN;
  if (Number.isNaN(server)) return;
  const difference = server - Date.now();
  if (Math.abs(difference - offset) > 1500) offset = Math.abs(difference) > 1500 ? difference : 0;
}

/** Milliseconds since the epoch by the platform's clock. */
export function serverNow(): number {
  return Date.now() + offset;
}
