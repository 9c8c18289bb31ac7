// Items that are released in the order they came, each at its own instant: one ring for all connections.
// A timer covers most of a wait; its last stretch is polled, because timers are exact to a millisecond at best. When the
// process is late, all that are due leave at once, so lateness never adds up.

/** How long before the next item is due the timer hands over to polling, ns. */
const pollingNs = 2e6;

export class ReleaseLine<Item, Detail = void> {
  readonly #nowNs: () => number;
  readonly #release: (item: Item, detail: Detail) => void;
  /** Ring of `#length` entries from `#first` on; the capacity is a power of two. */
  #items: (Item | undefined)[] = new Array(1024).fill(undefined);
  #details: (Detail | undefined)[] = new Array(1024).fill(undefined);
  #dueNs = new Float64Array(1024);
  #first = 0;
  #length = 0;
  #isWaiting = false;

  /** `nowNs` is the clock of the instants given to `push`: it may stand still, and never goes back. */
  constructor(nowNs: () => number, release: (item: Item, detail: Detail) => void) {
    this.#nowNs = nowNs;
    this.#release = release;
  }

  /** Releases `item` at `dueNs`, which never goes back from call to call. */
  push(dueNs: number, item: Item, detail: Detail): void {
    if (this.#length === this.#items.length) this.#grow();
    const at = (this.#first + this.#length++) & (this.#items.length - 1);
    this.#items[at] = item;
    this.#details[at] = detail;
    this.#dueNs[at] = dueNs;
    this.#wait();
  }

  readonly #releaseDue = (): void => {
    this.#isWaiting = false;
    const nowNs = this.#nowNs();
    while (this.#length > 0 && this.#dueNs[this.#first]! <= nowNs) {
      const item = this.#items[this.#first] as Item;
      const detail = this.#details[this.#first] as Detail;
      this.#items[this.#first] = undefined;
      this.#details[this.#first] = undefined;
      this.#first = (this.#first + 1) & (this.#items.length - 1);
      this.#length--;
      this.#release(item, detail);
    }
    this.#wait();
  };

  #wait(): void {
    if (this.#isWaiting || this.#length === 0) return;
    this.#isWaiting = true;
    const waitNs = this.#dueNs[this.#first]! - this.#nowNs();
    if (waitNs > pollingNs) setTimeout(this.#releaseDue, Math.floor((waitNs - pollingNs / 2) / 1e6));
    else setImmediate(this.#releaseDue);
  }

  #grow(): void {
    const capacity = this.#items.length;
    const dueNs = new Float64Array(2 * capacity);
    dueNs.set(this.#dueNs.subarray(this.#first));
    dueNs.set(this.#dueNs.subarray(0, this.#first), capacity - this.#first);
    this.#dueNs = dueNs;
    this.#items = unrolled(this.#items, this.#first);
    this.#details = unrolled(this.#details, this.#first);
    this.#first = 0;
  }
}

/** A full ring, read from `first` on, followed by as many free places. */
function unrolled<Entry>(ring: readonly (Entry | undefined)[], first: number): (Entry | undefined)[] {
  return [...ring.slice(first), ...ring.slice(0, first), ...new Array(ring.length).fill(undefined)];
}
