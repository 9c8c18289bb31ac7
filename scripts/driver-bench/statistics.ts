// Medians of few runs and how far they can be trusted, without assuming any distribution.

/** A median with the interval that holds the true one with probability `coverage`. */
export interface MedianInterval {
  median: number;
  low: number;
  high: number;
  coverage: number;
}

const wantedCoverage = 0.9;

/** The quantile `share` (0 to 1, nearest rank) of ascending values; NaN without values. */
export function quantile(ascending: Float64Array, share: number): number {
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const ascending = Float64Array.from(values).sort();
  const middle = (ascending.length - 1) / 2;
  return ((ascending[Math.floor(middle)] ?? Number.NaN) + (ascending[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/**
 * The narrowest pair of order statistics that covers the true median with probability 0.9 or more, else the widest:
 *
 *     coverage of (x₍ₖ₎, x₍ₙ₊₁₋ₖ₎) = 1 − 2 · Σ_{i<k} C(n, i) / 2ⁿ
 *
 *     x₍ₖ₎   k-th smallest of n independent values
 *
 * Five values give (smallest, largest) at 0.9375; fewer cannot reach 0.9.
 */
export function medianInterval(values: readonly number[]): MedianInterval {
  const ascending = Float64Array.from(values).sort();
  const n = ascending.length;
  let k = 0;
  let coverage = 0;
  for (let next = 1, tail = 0.5 ** n, term = tail; next <= n / 2; next++) {
    const nextCoverage = 1 - 2 * tail;
    if (k > 0 && nextCoverage < wantedCoverage) break;
    k = next;
    coverage = nextCoverage;
    term *= (n - next + 1) / next;
    tail += term;
  }
  const rank = Math.max(1, k);
  return {
    median: median(values),
    low: ascending[rank - 1] ?? Number.NaN,
    high: ascending[n - rank] ?? Number.NaN,
    coverage,
  };
}

/** What an interval says about the bar: the median is on one side of it, or nothing can be concluded. */
export function compareToBar({ low, high, coverage }: MedianInterval, bar: number): "above" | "below" | "inconclusive" {
  if (coverage < wantedCoverage || (low <= bar && high >= bar)) return "inconclusive";
  return low > bar ? "above" : "below";
}

/** Ratios of the runs of two generators, the i-th of one to the i-th of the other, as they alternated. */
export function pairRatios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.slice(0, theirs.length).map((value, run) => value / (theirs[run] as number));
}
