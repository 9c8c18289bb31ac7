import { expect, test } from "bun:test";
import fc from "fast-check";
import { RateCurve } from "../../lib/load/rate-curve.ts";

const rates = fc.integer({ min: 0, max: 1_000_000 });
const stages = fc.array(
  fc.record({ durationNs: fc.integer({ min: 1, max: 600 }).map((seconds) => seconds * 1e9), requestsPerSecond: rates }),
  { minLength: 1, maxLength: 6 },
);

test("a constant rate counts exactly, in integers", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 168 * 3600 }), (rate, seconds) => {
      expect(RateCurve.constant(rate, seconds * 1e9).total).toBe(rate * seconds);
    }),
  );
  expect(Math.ceil(RateCurve.constant(3, 333_333_333).total)).toBe(1);
  expect(Math.ceil(RateCurve.constant(3, 333_333_334).total)).toBe(2);
});

test("ramps count as the trapezoids below them, in halves", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000 }), stages, (start, ramps) => {
      let from = start;
      const area = ramps.reduce((sum, { durationNs, requestsPerSecond }) => {
        const part = ((from + requestsPerSecond) * durationNs) / 1e9 / 2;
        from = requestsPerSecond;
        return sum + part;
      }, 0);
      expect(RateCurve.ramps(start, ramps).total).toBe(area);
    }),
  );
});

test("instantNs() and countAt() are each other's inverse, on slopes too", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      stages,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (start, ramps, share) => {
        const curve = RateCurve.ramps(start, ramps);
        const k = share * curve.total * 0.999999;
        const instantNs = curve.instantNs(k);
        expect(instantNs).toBeLessThanOrEqual(curve.endNs);
        expect(Math.abs(curve.countAt(instantNs) - k)).toBeLessThanOrEqual(1e-9 * Math.max(1, curve.total));
      },
    ),
  );
});

test("instants never go back, and stop with the curve", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), stages, (start, ramps) => {
      const curve = RateCurve.ramps(start, ramps);
      const step = Math.max(1, Math.floor(curve.total / 500));
      let before = -1;
      for (let k = 0; k < curve.total; k += step) {
        const instantNs = curve.instantNs(k);
        expect(instantNs).toBeGreaterThanOrEqual(before);
        before = instantNs;
      }
      expect(curve.instantNs(Math.ceil(curve.total))).toBe(Number.POSITIVE_INFINITY);
    }),
    { numRuns: 50 },
  );
});

test("a ramp from and to nothing is finite everywhere", () => {
  const curve = RateCurve.ramps(10, [
    { durationNs: 10e9, requestsPerSecond: 0 },
    { durationNs: 10e9, requestsPerSecond: 0 },
    { durationNs: 10e9, requestsPerSecond: 10 },
  ]);
  expect(curve.total).toBe(100);
  for (let k = 0; k < 100; k++) expect(Number.isFinite(curve.instantNs(k))).toBe(true);
  expect(curve.instantNs(49)).toBeLessThan(10e9);
  expect(curve.instantNs(51)).toBeGreaterThan(20e9);
});

test("a change to the same rate changes nothing, wherever it falls", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.array(fc.integer({ min: 0, max: 10e9 }), { maxLength: 9 }),
      (rate, cuts) => {
        const same = RateCurve.constant(rate, 10e9);
        const cut = cuts.toSorted((a, b) => a - b).reduce((curve, atNs) => curve.followedBy(same, atNs, atNs), same);
        expect(cut.instantNs(rate * 10)).toBe(Number.POSITIVE_INFINITY);
        expect(cut.instantNs(rate * 10 - 1)).toBeCloseTo(same.instantNs(rate * 10 - 1), -1);
      },
    ),
  );
});

test("a change in flight keeps what was due, and goes on by the new rate", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 0, max: 20e9 }),
      (before, after, atNs) => {
        const changed = RateCurve.constant(before, 20e9).followedBy(RateCurve.constant(after, 20e9), atNs, atNs);
        const expected = (before * atNs + after * (20e9 - atNs)) / 1e9;
        expect(Math.abs(changed.total - expected)).toBeLessThan(1e-6);
        expect(changed.countAt(atNs / 2)).toBeCloseTo((before * atNs) / 2e9, 6);
      },
    ),
  );
});
