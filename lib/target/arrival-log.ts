// The instants at which requests arrived, up to a bound. Kept in pages: one array that doubles would stop the server for
// milliseconds while it copies, and those would show as jitter of the client.

const pageLength = 65_536;

export class ArrivalLog {
  readonly #maxArrivals: number;
  readonly #pages: Float64Array[] = [];
  #page = new Float64Array(0);
  #pageUsed = 0;
  #length = 0;

  constructor(maxArrivals: number) {
    this.#maxArrivals = maxArrivals;
  }

  /** Keeps the instant, unless the log is full. */
  add(instantNs: number): void {
    if (this.#length === this.#maxArrivals) return;
    if (this.#pageUsed === this.#page.length) {
      this.#page = new Float64Array(pageLength);
      this.#pageUsed = 0;
      this.#pages.push(this.#page);
    }
    this.#page[this.#pageUsed++] = instantNs;
    this.#length++;
  }

  /** The instants kept, in the order of arrival: a copy. */
  instantsNs(): Float64Array {
    const instants = new Float64Array(this.#length);
    for (const [index, page] of this.#pages.entries()) {
      const start = index * pageLength;
      instants.set(page.subarray(0, Math.min(pageLength, this.#length - start)), start);
    }
    return instants;
  }
}
