import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  formatBytes,
  formatClock,
  formatNumberOf,
  formatPercent,
  formatRate,
  formatUs,
} from "../../lib/report/quantity.ts";

test.each([
  [0, "0 µs"],
  [0.25, "0.250 µs"],
  [999.4, "999 µs"],
  [999.5, "1.00 ms"],
  [12_345, "12.3 ms"],
  [999_499, "999 ms"],
  [999_500, "1.00 s"],
  [61e6, "61.0 s"],
  [8_796_093e3, "8796 s"],
])("formatUs(%p) is %s", (us, text) => {
  expect(formatUs(us)).toBe(text);
});

test("formatUs() stays within eight columns", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 87_960_930_222 }), (tenths) => {
      expect(formatUs(tenths / 10).length).toBeLessThanOrEqual(8);
    }),
  );
});

test.each([
  [0, "0 %"],
  [1, "100 %"],
  [0.35, "35 %"],
  [0.001, "0.1 %"],
  [0.00057, "0.057 %"],
  [1 / 3, "33.3 %"],
  [0.9996, "99.96 %"],
  [1e-7, "0.00001 %"],
])("formatPercent(%p) is %s", (share, text) => {
  expect(formatPercent(share)).toBe(text);
});

test("formatPercent() shows no share as 0 or 100 % that is neither", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 - 1 }), (n) => {
      expect(["0 %", "100 %"]).not.toContain(formatPercent(n / 1e6));
    }),
  );
});

test.each([
  [0, "0s"],
  [59.4, "59s"],
  [59.6, "1m0s"],
  [3599.7, "1h0m0s"],
  [604_800, "168h0m0s"],
])("formatClock(%p) is %s", (seconds, text) => {
  expect(formatClock(seconds)).toBe(text);
});

test("rates have a tenth below 100, bytes three digits", () => {
  expect([0.5, 99.94, 999.7, 61_234.5].map(formatRate)).toEqual(["0.5/s", "99.9/s", "1,000/s", "61,235/s"]);
  expect([0, 999, 1234, 9.99e6, 5e12].map(formatBytes)).toEqual(["0 B", "999 B", "1.23 kB", "9.99 MB", "5.00 TB"]);
  expect([999_499, 999_999, 1e6, 9.1234e15].map(formatBytes)).toEqual(["999 kB", "1.00 MB", "1.00 MB", "9120 TB"]);
});

test("one of a thing is told from several", () => {
  expect([0, 1, 1234].map((value) => formatNumberOf(value, "probe"))).toEqual(["0 probes", "1 probe", "1,234 probes"]);
});
