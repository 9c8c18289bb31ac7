// How evenly requests arrived: the distance of each arrival instant from the straight line that fits them best.
// A driver that keeps its schedule perfectly scores 0, whatever its rate and whenever it began.

/** The line (index, instant) with the least squared distances: instant = first instant + offsetNs + index · spacingNs. */
export interface ArrivalLine {
  offsetNs: number;
  spacingNs: number;
}

/** Quantiles (nearest rank) of the distances |instant − line|, microseconds. */
export interface JitterUs {
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

/**
 * Least squares over instants in the order of arrival, at least two of them, as a correction of their chord:
 *
 *     d = t − t₀ − i · chord          spacing = chord + Σ (i − ī) d / Σ (i − ī)²
 *     chord = (tₙ₋₁ − t₀) / (n − 1)    offset = d̄ − ī · (spacing − chord)
 *
 *     i, ī   index and mean index, (n − 1) / 2        Σ (i − ī)² = n (n² − 1) / 12
 *     t, d   instant and its distance from the chord, ns
 *
 * The sums are of distances, not of instants, so that neither the clock's origin nor the length of the run costs
 * digits: for even arrivals the error is of the order of 10⁻¹⁵ of the run, a picosecond in 20 minutes.
 */
export function leastSquares(instantsNs: Float64Array): ArrivalLine {
  const n = instantsNs.length;
  const first = instantsNs[0] as number;
  const chord = ((instantsNs[n - 1] as number) - first) / (n - 1);
  const meanIndex = (n - 1) / 2;
  let sum = 0;
  let products = 0;
  for (let i = 0; i < n; i++) {
    const distance = (instantsNs[i] as number) - first - i * chord;
    sum += distance;
    products += (i - meanIndex) * distance;
  }
  const correction = products / ((n * (n * n - 1)) / 12);
  return { offsetNs: sum / n - meanIndex * correction, spacingNs: chord + correction };
}

/** The jitter of instants in the order of arrival; null for fewer than three, which always lie on a line. */
export function jitterUs(instantsNs: Float64Array): JitterUs | null {
  const n = instantsNs.length;
  if (n < 3) return null;
  const first = instantsNs[0] as number;
  const { offsetNs, spacingNs } = leastSquares(instantsNs);
  const distances = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    distances[i] = Math.abs((instantsNs[i] as number) - first - offsetNs - i * spacingNs);
  }
  distances.sort();
  const quantile = (share: number) => (distances[Math.ceil(share * n) - 1] as number) / 1e3;
  return { p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99), max: quantile(1) };
}
