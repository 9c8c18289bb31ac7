// A watch of the model: changes one after the other, each some time after it has happened, until the stream ends, breaks
// off, or says nothing any more. What is disturbed here no real server does; a controller must stand it all the same.
import type { WatchEvent } from "../../lib/kube/client.ts";
import type { Stored } from "./store.ts";
import type { VirtualTime } from "./virtual-time.ts";

export type Event = WatchEvent<Stored>;
/** What becomes of an event on its way. */
export type Disturbance = "none" | "dropped" | "doubled" | "overtaken";

export class WatchStream implements AsyncIterable<Event>, AsyncIterator<Event, undefined> {
  readonly #time: VirtualTime;
  readonly #closed: () => void;
  readonly #arrived: Event[] = [];
  /** An event that the next one overtakes. */
  #held: Event | undefined;
  #waiting: PromiseWithResolvers<IteratorResult<Event, undefined>> | undefined;
  #end: { error?: unknown } | undefined;
  #lastAtMs = 0;
  isFrozen = false;

  /** @param closed Called once, when nobody reads any more. */
  constructor(time: VirtualTime, closed: () => void) {
    this.#time = time;
    this.#closed = closed;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Event, undefined>> {
    const event = this.#arrived.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#end !== undefined) {
      const { error } = this.#end;
      return error === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error);
    }
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  return(): Promise<IteratorResult<Event, undefined>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** The event arrives after `delayMs`, and not before those sent earlier. */
  send(event: Event, delayMs: number, disturbance: Disturbance): void {
    if (disturbance === "dropped" || this.isFrozen || this.#end !== undefined) return;
    this.#lastAtMs = Math.max(this.#lastAtMs, this.#time.nowMs + delayMs);
    this.#time.after(this.#lastAtMs - this.#time.nowMs, () => {
      if (this.isFrozen || this.#end !== undefined) return;
      if (disturbance === "overtaken" && this.#held === undefined) {
        this.#held = event;
        return;
      }
      this.#arrive(event);
      if (disturbance === "doubled") this.#arrive(event);
      const held = this.#held;
      this.#held = undefined;
      if (held !== undefined) this.#arrive(held);
    });
  }

  /** Ends the stream, with an error or as a server ends it. */
  end(error?: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = error === undefined ? {} : { error };
    this.#closed();
    if (error === undefined) this.#waiting?.resolve({ done: true, value: undefined });
    else this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  #arrive(event: Event): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#arrived.push(event);
    else waiting.resolve({ done: false, value: event });
  }
}
