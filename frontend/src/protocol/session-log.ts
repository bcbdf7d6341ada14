// What one browser holds of a session's log: folded, with the rules for repeats, gaps and newer generations.
import { type Conversation, EMPTY } from "./conversation";
import { type LogEvent, lastNumber } from "./events";
import { fold } from "./fold";

const EVENTS_PER_CHECKPOINT = 64;
const CHECKPOINTS = 32;

export interface Cursor {
  gen: number;
  seq: number;
}

/** `gap`: an event is missing before this one. `resync`: what must be replaced is older than what is remembered. */
export type Verdict = "ok" | "gap" | "resync";

interface Checkpoint {
  conversation: Conversation;
  cursor: Cursor;
  covered: number;
}

/**
 * Numbers: `cursor.seq` is the last row's own number, `covered` the last number that any row spans. A folded row
 * spans numbers of other rows that come after it, so only `cursor.seq` says what is a repeat and where to resume.
 */
export class SessionLog {
  #now: Checkpoint = { conversation: EMPTY, cursor: { gen: 0, seq: 0 }, covered: 0 };
  /** Earlier states, and all events since the first of them: enough to take back what was never stored. */
  #checkpoints: Checkpoint[] = [this.#now];
  #tail: LogEvent[] = [];

  get conversation(): Conversation {
    return this.#now.conversation;
  }

  get cursor(): Cursor {
    return this.#now.cursor;
  }

  /** The last number that is shown. */
  get covered(): number {
    return this.#now.covered;
  }

  /** Starts again from a snapshot: everything in it is stored. */
  reset(conversation: Conversation): void {
    this.#now = {
      conversation,
      cursor: { gen: conversation.gen, seq: conversation.last_seq },
      covered: conversation.last_seq,
    };
    this.#checkpoints = [this.#now];
    this.#tail = [];
  }

  /** Takes one event. After `gap` or `resync` nothing has changed. `live` asks for the check for gaps. */
  accept(event: LogEvent, live: boolean): Verdict {
    const { cursor, covered } = this.#now;
    if (event.gen < cursor.gen) return "ok";
    if (event.gen > cursor.gen && event.seq <= covered) {
      if (!this.#takeBack(event.seq)) return "resync";
    } else if (lastNumber(event) <= cursor.seq) {
      return "ok";
    } else if (live && event.seq > Math.max(cursor.seq, covered) + 1) {
      return "gap";
    }
    this.#apply(event);
    return "ok";
  }

  #apply(event: LogEvent): void {
    const { conversation, cursor, covered } = this.#now;
    this.#now = {
      conversation: fold(conversation, event),
      cursor: { gen: event.gen, seq: Math.max(cursor.seq, event.seq) },
      covered: Math.max(covered, lastNumber(event)),
    };
    this.#tail.push(event);
    if (this.#tail.length % EVENTS_PER_CHECKPOINT === 0) this.#checkpoints.push(this.#now);
    if (this.#checkpoints.length > CHECKPOINTS) {
      this.#checkpoints.shift();
      this.#tail.splice(0, EVENTS_PER_CHECKPOINT);
    }
  }

  /** Takes back everything at or after `seq`; false when that is more than is remembered. */
  #takeBack(seq: number): boolean {
    const index = this.#checkpoints.findLastIndex((checkpoint) => checkpoint.covered < seq);
    const checkpoint = this.#checkpoints[index];
    if (!checkpoint) return false;
    const kept = this.#tail.slice(index * EVENTS_PER_CHECKPOINT).filter((event) => lastNumber(event) < seq);
    this.#checkpoints.length = index + 1;
    this.#tail.length = index * EVENTS_PER_CHECKPOINT;
    this.#now = checkpoint;
    for (const event of kept) this.#apply(event);
    return true;
  }
}
