import { expect, test } from "bun:test";
import fc from "fast-check";
import { compareToBar, median, medianInterval, pairRatios, quantile } from "../../scripts/driver-bench/statistics.ts";

const someValues = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 });

test("median() is the middle value, or the mean of the two in the middle", () => {
  expect(median([3])).toBe(3);
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNaN();
});

test("quantile() is the nearest rank", () => {
  const values = Float64Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const cases: [number, number][] = [
    [0, 1],
    [0.05, 1],
    [0.5, 5],
    [0.9, 9],
    [0.91, 10],
    [1, 10],
  ];
  for (const [share, expected] of cases) expect(quantile(values, share)).toBe(expected);
  expect(quantile(new Float64Array(0), 0.5)).toBeNaN();
});

test("medianInterval() of few values is their range, at the coverage of the binomial distribution", () => {
  const cases: [number, number][] = [
    [1, 0],
    [2, 0.5],
    [3, 0.75],
    [4, 0.875],
    [5, 0.9375],
    [7, 0.984375],
  ];
  for (const [n, coverage] of cases) {
    const values = Array.from({ length: n }, (_, index) => index + 1);
    expect(medianInterval(values)).toEqual({ median: (n + 1) / 2, low: 1, high: n, coverage });
  }
});

test("medianInterval() of more values drops as many at each end as it can", () => {
  // n = 10: (x₂, x₉) covers 1 − 2 · 11 / 1024, (x₃, x₈) only 1 − 2 · 56 / 1024 = 0.89.
  const { low, high, coverage } = medianInterval([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  expect([low, high, coverage]).toEqual([2, 9, 1 - 22 / 1024]);
});

test("medianInterval() holds the median and turns with the sign", () => {
  fc.assert(
    fc.property(someValues, (values) => {
      const interval = medianInterval(values);
      const mirrored = medianInterval(values.map((value) => -value));
      expect(interval.low).toBeLessThanOrEqual(interval.median);
      expect(interval.high).toBeGreaterThanOrEqual(interval.median);
      expect(mirrored.low).toBeCloseTo(-interval.high, 9);
      expect(mirrored.coverage).toBe(interval.coverage);
    }),
  );
});

test("compareToBar() concludes nothing while the interval holds the bar, or covers too little", () => {
  expect(compareToBar(medianInterval([1.1, 1.2, 1.3, 1.1, 1.2]), 1)).toBe("above");
  expect(compareToBar(medianInterval([0.7, 0.8, 0.9, 0.8, 0.7]), 1)).toBe("below");
  expect(compareToBar(medianInterval([0.9, 1.2, 1.3, 1.1, 1.2]), 1)).toBe("inconclusive");
  expect(compareToBar(medianInterval([1, 1.2, 1.3, 1.1, 1.2]), 1)).toBe("inconclusive");
  expect(compareToBar(medianInterval([2, 2, 2, 2]), 1)).toBe("inconclusive");
});

test("pairRatios() pairs runs of the same round", () => {
  expect(pairRatios([2, 6, 9], [1, 2, 3])).toEqual([2, 3, 3]);
});
