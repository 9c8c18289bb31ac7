import { expect, test } from "bun:test";
import fc from "fast-check";
import { jitterUs, leastSquares } from "../../lib/stats/arrivals.ts";

/** Instants with these gaps between them, from `startNs` on. */
function instants(startNs: number, gapsNs: readonly number[]): Float64Array {
  let at = startNs;
  return Float64Array.from([at, ...gapsNs.map((gap) => (at += gap))]);
}

const gapsNs = fc.array(fc.integer({ min: 0, max: 5_000_000 }), { minLength: 2, maxLength: 300 });
const startNs = fc.integer({ min: 0, max: 1e15 });

/** The line by the textbook's normal equations, in integers of any size: exact until the last division. */
function exactLine(times: readonly number[]): (index: number) => number {
  const n = BigInt(times.length);
  const t = times.map((time) => BigInt(time - (times[0] as number)));
  const sum = (terms: readonly bigint[]) => terms.reduce((a, b) => a + b, 0n);
  const i = t.map((_, index) => BigInt(index));
  const sumI = sum(i);
  const sumT = sum(t);
  const sumIT = sum(t.map((time, index) => time * (i[index] as bigint)));
  const denominator = n * sum(i.map((index) => index * index)) - sumI * sumI;
  const slope = n * sumIT - sumI * sumT;
  // intercept = (sumT − slope / denominator · sumI) / n; as a fraction over denominator · n, scaled to picoseconds
  const intercept = sumT * denominator - slope * sumI;
  return (index) => Number((1000n * (intercept + slope * BigInt(index) * n)) / (denominator * n)) / 1000;
}

test("leastSquares() is the line of the normal equations", () => {
  fc.assert(
    fc.property(startNs, gapsNs, (start, gaps) => {
      const times = instants(start, gaps);
      const line = leastSquares(times);
      const exact = exactLine([...times]);
      for (const index of [0, times.length >> 1, times.length - 1]) {
        expect(line.offsetNs + index * line.spacingNs).toBeCloseTo(exact(index), 2);
      }
    }),
  );
});

test("jitterUs() is the nearest rank among all sorted distances from the line", () => {
  fc.assert(
    fc.property(startNs, gapsNs, (start, gaps) => {
      const times = instants(start, gaps);
      const exact = exactLine([...times]);
      const distances = [...times]
        .map((time, index) => Math.abs(time - start - exact(index)) / 1e3)
        .sort((a, b) => a - b);
      const rank = (percent: number) => distances[Math.ceil((percent / 100) * distances.length) - 1] as number;
      const jitter = jitterUs(times);
      expect(jitter?.p50).toBeCloseTo(rank(50), 4);
      expect(jitter?.p90).toBeCloseTo(rank(90), 4);
      expect(jitter?.p99).toBeCloseTo(rank(99), 4);
      expect(jitter?.max).toBeCloseTo(rank(100), 4);
    }),
  );
});

test("evenly spaced arrivals have no jitter, whenever they began and however many there are", () => {
  fc.assert(
    fc.property(startNs, fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: 3, max: 20_000 }), (start, gap, count) => {
      const times = Float64Array.from({ length: count }, (_, index) => start + index * gap);
      expect(jitterUs(times)?.max).toBeLessThan(1e-4);
    }),
    { numRuns: 50 },
  );
});

test("moving all arrivals by the same time changes no jitter", () => {
  fc.assert(
    fc.property(startNs, startNs, gapsNs, (start, other, gaps) => {
      expect(jitterUs(instants(start, gaps))).toEqual(jitterUs(instants(other, gaps)));
    }),
  );
});

test("one late arrival is the maximum and leaves the median small", () => {
  const times = Float64Array.from({ length: 1001 }, (_, index) => index * 1e6 + (index === 500 ? 1e6 : 0));
  const jitter = jitterUs(times);
  expect(jitter?.max).toBeCloseTo(999, 0);
  expect(jitter?.p99).toBeLessThan(1.1);
});

test("fewer than three arrivals have no jitter to speak of", () => {
  expect(jitterUs(new Float64Array(0))).toBeNull();
  expect(jitterUs(Float64Array.of(1))).toBeNull();
  expect(jitterUs(Float64Array.of(1, 5))).toBeNull();
  expect(jitterUs(Float64Array.of(1, 5, 9))).toEqual({ p50: 0, p90: 0, p99: 0, max: 0 });
});
