// Responses that wait the same delay, and so leave in the order they came: one ring for all connections.
// A timer covers most of a wait; its last stretch is polled, because timers are exact to a millisecond at best.
import { monotonicNs } from "../runtime/clock.ts";

/** How long before the next response is due the timer hands over to polling, ns. */
const pollingNs = 2e6;

export class DelayLine<Item> {
  readonly #delayNs: number;
  readonly #release: (item: Item, response: number) => void;
  /** Ring of `#length` entries from `#first` on; the capacity is a power of two. */
  #items: (Item | undefined)[] = new Array(1024).fill(undefined);
  #responses = new Uint8Array(1024);
  #dueNs = new Float64Array(1024);
  #first = 0;
  #length = 0;
  #isWaiting = false;

  constructor(delayNs: number, release: (item: Item, response: number) => void) {
    this.#delayNs = delayNs;
    this.#release = release;
  }

  /** Releases `response` to `item` one delay after `nowNs`, which never goes back from call to call. */
  push(item: Item, response: number, nowNs: number): void {
    if (this.#length === this.#items.length) this.#grow();
    const at = (this.#first + this.#length++) & (this.#items.length - 1);
    this.#items[at] = item;
    this.#responses[at] = response;
    this.#dueNs[at] = nowNs + this.#delayNs;
    this.#wait();
  }

  readonly #releaseDue = (): void => {
    this.#isWaiting = false;
    const nowNs = monotonicNs();
    while (this.#length > 0 && this.#dueNs[this.#first]! <= nowNs) {
      const item = this.#items[this.#first] as Item;
      const response = this.#responses[this.#first]!;
      this.#items[this.#first] = undefined;
      this.#first = (this.#first + 1) & (this.#items.length - 1);
      this.#length--;
      this.#release(item, response);
    }
    this.#wait();
  };

  #wait(): void {
    if (this.#isWaiting || this.#length === 0) return;
    this.#isWaiting = true;
    const waitNs = this.#dueNs[this.#first]! - monotonicNs();
    if (waitNs > pollingNs) setTimeout(this.#releaseDue, Math.floor((waitNs - pollingNs / 2) / 1e6));
    else setImmediate(this.#releaseDue);
  }

  #grow(): void {
    const capacity = this.#items.length;
    const items: (Item | undefined)[] = new Array(2 * capacity).fill(undefined);
    const responses = new Uint8Array(2 * capacity);
    const dueNs = new Float64Array(2 * capacity);
    for (let i = 0; i < capacity; i++) {
      const from = (this.#first + i) & (capacity - 1);
      items[i] = this.#items[from];
      responses[i] = this.#responses[from]!;
      dueNs[i] = this.#dueNs[from]!;
    }
    this.#items = items;
    this.#responses = responses;
    this.#dueNs = dueNs;
    this.#first = 0;
  }
}
