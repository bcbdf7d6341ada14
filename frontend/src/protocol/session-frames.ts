// The messages of `/ws/sessions/{id}/`, and reading them without trusting their shape.
import type { LogEvent } from "./events";

/** The platform's rows of a session: sent whole at hello and at each change, the newest `version` wins. */
export interface VersionedState {
  version: number;
}

export type DownFrame<S extends VersionedState> =
  | { type: "hello"; stored: [number, number]; state: S }
  | { type: "events"; events: LogEvent[] }
  | { type: "live" }
  | { type: "state"; state: S }
  | { type: "heartbeat"; seq: number };

const TYPES = new Set(["hello", "events", "live", "state", "heartbeat"]);

/** The frame in `raw`; null for one of a type that this version does not know. Throws on what is no frame. */
export function readFrame<S extends VersionedState>(raw: string): DownFrame<S> | null {
  const frame: unknown = JSON.parse(raw);
  if (typeof frame !== "object" || frame === null || !("type" in frame)) throw new Error("not a frame");
  return TYPES.has(String(frame.type)) ? (frame as DownFrame<S>) : null;
}
