// When each request is due. One global schedule: request k at k / R seconds after the start. Worker i of n has the
// requests k ≡ i (mod n), so shares add up exactly and the merged arrivals stay evenly spaced:
//
//   t(j) = (i + j·n) · 10^9 / R          t in ns since the start, j = 0, 1, … counts the worker's own requests
//
// Rounding errs by at most one unit in the last place of t: under 0.02 ns within the first day.

export interface Share {
  /** i, from 0. */
  index: number;
  /** n, at least 1. */
  count: number;
}

export class Schedule {
  /** How many requests this worker has in all; Infinity without a duration. */
  readonly count: number;
  readonly #share: Share;
  readonly #nsPerRequest: number;
  readonly #requestsPerSecond: number;

  /** `requestsPerSecond` of all workers together, an integer; `durationNs` an integer, or undefined for no end. */
  constructor(requestsPerSecond: number, durationNs: number | undefined, share: Share) {
    this.#share = share;
    this.#requestsPerSecond = requestsPerSecond;
    this.#nsPerRequest = (share.count * 1e9) / requestsPerSecond;
    this.count = durationNs === undefined ? Number.POSITIVE_INFINITY : ownCount(requestsPerSecond, durationNs, share);
  }

  /** The instant of own request `j`, ns since the start. */
  intendedNs(j: number): number {
    return ((this.#share.index + j * this.#share.count) * 1e9) / this.#requestsPerSecond;
  }

  /** How many own requests are due at `elapsedNs` since the start, that instant included. */
  dueCount(elapsedNs: number): number {
    let due = Math.max(0, Math.floor((elapsedNs - this.intendedNs(0)) / this.#nsPerRequest) + 1);
    while (this.intendedNs(due) <= elapsedNs) due++; // division may round across the edge
    while (due > 0 && this.intendedNs(due - 1) > elapsedNs) due--;
    return Math.min(due, this.count);
  }
}

/** Requests of the share with 0 ≤ k/R < duration, in integers. */
function ownCount(requestsPerSecond: number, durationNs: number, share: Share): number {
  const total = (BigInt(requestsPerSecond) * BigInt(durationNs) + 999_999_999n) / 1_000_000_000n;
  return Math.max(0, Math.ceil((Number(total) - share.index) / share.count));
}

/** Which of `paths` paths own request `j` of worker `index` asks for: in turn, so that no worker is tied to one path. */
export function pathOf(j: number, index: number, paths: number): number {
  return (index + j) % paths;
}

/** How many of the first `count` own requests of worker `index` ask for `path`, by the turn of `pathOf`. */
export function countOfPath(path: number, count: number, index: number, paths: number): number {
  const first = (((path - index) % paths) + paths) % paths;
  return count > first ? Math.floor((count - 1 - first) / paths) + 1 : 0;
}
