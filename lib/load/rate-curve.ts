// The rate over time, as straight lines, and its integral: how many requests are due by an instant.
//
//   rate(t)  = a + s·t                      t   seconds since the segment's beginning, 0 … T
//   count(t) = c + a·t + s·t²/2             c   requests due before the segment
//   t(k)     = 2q / (a + √(a² + 2·s·q))     q = k − c, s = (b − a) / T
//
// a, b: requests per second at both ends. The inverse is written so that nothing cancels, and is q / a for s = 0. It
// errs by a few units in the last place of t: nanoseconds after a month.

/** Requests per second that may be asked for at most. */
export const highestRate = 1_000_000;

/** Sums of rounded counts err by less than this share: a last request within it would be due only by rounding. */
const rounding = 1e-14;

/** A linear ramp from the rate before it to its own. */
export interface Stage {
  durationNs: number;
  requestsPerSecond: number;
}

interface Segment {
  startNs: number;
  /** Infinity for the last segment of a load without end. */
  endNs: number;
  startRate: number;
  endRate: number;
  startCount: number;
  endCount: number;
}

export class RateCurve {
  readonly #segments: readonly Segment[];

  private constructor(lines: readonly Omit<Segment, "startCount" | "endCount">[]) {
    let count = 0;
    this.#segments = lines.map((line) => {
      const startCount = count;
      count += countOf(line.startRate, line.endRate, line.endNs - line.startNs);
      return { ...line, startCount, endCount: count };
    });
  }

  /** A constant rate (requests per second, above 0), for `durationNs` (a whole number) or without end. */
  static constant(requestsPerSecond: number, durationNs = Number.POSITIVE_INFINITY): RateCurve {
    const rate = requestsPerSecond;
    return new RateCurve([{ startNs: 0, endNs: durationNs, startRate: rate, endRate: rate }]);
  }

  /** Ramps one after the other, the first from `requestsPerSecond`; their durations are whole numbers above 0. */
  static ramps(requestsPerSecond: number, stages: readonly Stage[]): RateCurve {
    let startNs = 0;
    let startRate = requestsPerSecond;
    return new RateCurve(
      stages.map((stage) => {
        const segment = { startNs, endNs: startNs + stage.durationNs, startRate, endRate: stage.requestsPerSecond };
        startNs = segment.endNs;
        startRate = segment.endRate;
        return segment;
      }),
    );
  }

  /** `count` requests until `endNs`, evenly: stands for rates that are not known any more. */
  static evenly(count: number, endNs: number): RateCurve {
    const rate = endNs === 0 ? 0 : (count * 1e9) / endNs;
    return new RateCurve([{ startNs: 0, endNs, startRate: rate, endRate: rate }]);
  }

  /** No request, and no end. */
  static readonly pause = new RateCurve([{ startNs: 0, endNs: Number.POSITIVE_INFINITY, startRate: 0, endRate: 0 }]);

  /** This curve until `atNs`, and from then on the rates that `next` has from `clockNs` on: a change in flight. */
  followedBy(next: RateCurve, atNs: number, clockNs: number): RateCurve {
    const shiftNs = atNs - clockNs;
    const rest = next.#between(clockNs, Number.POSITIVE_INFINITY).map((segment) => ({
      ...segment,
      startNs: segment.startNs + shiftNs,
      endNs: segment.endNs + shiftNs,
    }));
    return new RateCurve([...this.#between(0, atNs), ...rest]);
  }

  /** When the last segment ends; Infinity without end. */
  get endNs(): number {
    return this.#segments.at(-1)?.endNs ?? 0;
  }

  /** How many requests there are in all, as a real number: those with numbers 0 ≤ k < total. */
  get total(): number {
    return this.#segments.at(-1)?.endCount ?? 0;
  }

  /** How many requests are due until `atNs`, as a real number. */
  countAt(atNs: number): number {
    for (const segment of this.#segments) {
      const { startNs, endNs, startRate, startCount } = segment;
      if (atNs >= endNs) continue;
      if (atNs <= startNs) return startCount;
      return startCount + ((startRate + rateAt(segment, atNs)) / 2 / 1e9) * (atNs - startNs);
    }
    return this.total;
  }

  /** When request number `k` (a real number, at least 0) is due; Infinity when it never is. */
  instantNs(k: number): number {
    if (k >= this.total * (1 - rounding)) return Number.POSITIVE_INFINITY;
    for (const { startNs, endNs, startRate, endRate, startCount, endCount } of this.#segments) {
      if (k >= endCount) continue;
      const q = k - startCount;
      if (startRate === endRate) return startNs + (q * 1e9) / startRate;
      if (q === 0) return startNs;
      const slope = ((endRate - startRate) * 1e9) / (endNs - startNs);
      const root = Math.sqrt(Math.max(0, startRate * startRate + 2 * slope * q));
      return startNs + (2e9 * q) / (startRate + root);
    }
    return Number.POSITIVE_INFINITY;
  }

  #between(fromNs: number, toNs: number): Omit<Segment, "startCount" | "endCount">[] {
    return this.#segments
      .filter(({ startNs, endNs }) => startNs < toNs && endNs > fromNs)
      .map((segment) => {
        const startNs = Math.max(segment.startNs, fromNs);
        const endNs = Math.min(segment.endNs, toNs);
        return { startNs, endNs, startRate: rateAt(segment, startNs), endRate: rateAt(segment, endNs) };
      });
  }
}

function rateAt({ startNs, endNs, startRate, endRate }: Segment, atNs: number): number {
  if (startRate === endRate) return startRate;
  return startRate + ((endRate - startRate) * (atNs - startNs)) / (endNs - startNs);
}

/** Requests of a segment, exact wherever their number is whole: whole seconds and the rest are counted apart. */
function countOf(startRate: number, endRate: number, durationNs: number): number {
  if (durationNs === Number.POSITIVE_INFINITY) return startRate === 0 ? 0 : durationNs;
  const seconds = Math.floor(durationNs / 1e9);
  const restNs = durationNs - seconds * 1e9;
  return ((startRate + endRate) * seconds) / 2 + ((startRate + endRate) * restNs) / 2e9;
}
