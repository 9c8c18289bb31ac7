import { expect, test } from "bun:test";
import fc from "fast-check";
import { RateSearch } from "../../lib/load/rate-search.ts";

/** Searches a target that bears every rate up to `capacity`; the number of probes and the result. */
function search(
  capacity: number,
  estimate: number,
  mostProbes = 11,
): { probes: number; highestRate: number | undefined } {
  const search = new RateSearch(estimate, 0.01);
  let probes = 0;
  for (let rate = search.nextRate; rate !== undefined && probes < mostProbes; rate = search.nextRate) {
    probes++;
    search.record(rate <= capacity);
  }
  return { probes, highestRate: search.highestRate };
}

test("a capacity near the estimate is found within 2 % in few probes, and never overstated", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 200, max: 1_000_000 }),
      fc.double({ min: 0.6, max: 1.6, noNaN: true }),
      (capacity, error) => {
        const { probes, highestRate } = search(capacity, capacity * error);
        expect(probes).toBeLessThanOrEqual(11);
        expect(highestRate).toBeLessThanOrEqual(capacity);
        expect(highestRate).toBeGreaterThanOrEqual(capacity * 0.98);
      },
    ),
  );
});

test("however far the estimate, what the search says was borne", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 1_000_000 }), (capacity, estimate) => {
      const { probes, highestRate } = search(capacity, estimate);
      expect(probes).toBeLessThanOrEqual(11);
      if (highestRate !== undefined) expect(highestRate).toBeLessThanOrEqual(capacity);
    }),
  );
});

test("a target that bears nothing has no highest rate", () => {
  expect(search(0, 1000, 50).highestRate).toBeUndefined();
});
