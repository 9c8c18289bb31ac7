import { expect, test } from "bun:test";
import fc from "fast-check";
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from "hdr-histogram-js";
import { Histogram, highestOf, highestValueNs, lowestOf, slotCount, slotOf } from "../../lib/stats/histogram.ts";
import { decodeHistogram, encodeHistogram } from "../../lib/stats/histogram-codec.ts";

const durations = fc.array(
  fc.oneof(
    fc.nat(1000),
    fc.integer({ min: 0, max: 2 ** 31 }),
    fc.integer({ min: 0, max: highestValueNs }),
    fc.integer({ min: highestValueNs - 1000, max: highestValueNs }),
  ),
  { minLength: 1, maxLength: 300 },
);

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

test("slots follow each other without gap or overlap, each at most 0.8 % wide", () => {
  for (let slot = 0; slot < slotCount; slot++) {
    expect(slotOf(lowestOf(slot))).toBe(slot);
    expect(slotOf(highestOf(slot))).toBe(slot);
    expect(highestOf(slot) - lowestOf(slot)).toBeLessThanOrEqual(lowestOf(slot) / 128);
  }
  expect(highestOf(slotCount - 1)).toBe(highestValueNs);
});

test("quantiles are those of the sorted samples, up to the width of a slot", () => {
  fc.assert(
    fc.property(durations, fc.double({ min: 0, max: 1, noNaN: true }), (values, quantile) => {
      const sorted = values.toSorted((a, b) => a - b);
      const exact = sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)] as number;
      const measured = histogramOf(values).quantileNs(quantile);
      expect(measured).toBeGreaterThanOrEqual(exact);
      expect(measured - exact).toBeLessThanOrEqual(exact / 128);
    }),
  );
});

test("merge() in any order and grouping is the histogram of all samples", () => {
  fc.assert(
    fc.property(durations, durations, durations, (a, b, c) => {
      const left = histogramOf(a);
      left.merge(histogramOf(b));
      left.merge(histogramOf(c));
      const right = histogramOf(c);
      const inner = histogramOf(b);
      inner.merge(histogramOf(a));
      right.merge(inner);
      expect(left).toEqual(histogramOf([...a, ...b, ...c]));
      expect(right.counts).toEqual(left.counts);
    }),
  );
});

test("decode after encode gives the same counts", () => {
  fc.assert(
    fc.property(durations, (values) => {
      const histogram = histogramOf(values);
      const decoded = decodeHistogram(encodeHistogram(histogram));
      expect(decoded.counts).toEqual(histogram.counts);
      expect(decoded.total).toBe(histogram.total);
    }),
  );
});

test("another HdrHistogram finds the same quantiles in what we wrote", () => {
  fc.assert(
    fc.property(durations, (values) => {
      const text = encodeHistogram(histogramOf(values));
      const ours = decodeHistogram(text);
      const theirs = decodeFromCompressedBase64(text, 64);
      expect(theirs.totalCount).toBe(values.length);
      for (const percentile of [1, 10, 50, 90, 99, 99.9, 100]) {
        expect(theirs.getValueAtPercentile(percentile)).toBe(ours.quantileNs(percentile / 100));
      }
    }),
  );
});

test("we find the same counts in what another HdrHistogram wrote", () => {
  fc.assert(
    fc.property(durations, fc.integer({ min: 1, max: 2 ** 40 }), (values, times) => {
      const theirs = build({
        highestTrackableValue: highestValueNs,
        numberOfSignificantValueDigits: 2,
        bitBucketSize: 64,
        useWebAssembly: false,
      });
      for (const value of values) theirs.recordValueWithCount(value, times);
      const ours = decodeHistogram(encodeIntoCompressedBase64(theirs));
      expect(ours.counts).toEqual(histogramOf(values).counts.map((count) => count * times));
      expect(ours.total).toBe(values.length * times);
    }),
  );
});

test("durations beyond both ends count as the ends", () => {
  const histogram = histogramOf([-5, highestValueNs + 0.5, Number.POSITIVE_INFINITY]);
  expect(histogram).toEqual(histogramOf([0, highestValueNs, highestValueNs]));
});

test("text that is cut or damaged is refused with what it must be", () => {
  fc.assert(
    fc.property(durations, fc.nat(), (values, cut) => {
      const text = encodeHistogram(histogramOf(values));
      expect(() => decodeHistogram(text.slice(0, (cut % (text.length - 8)) & ~3))).toThrow("must be HdrHistogram V2");
    }),
  );
});

test("text that is no histogram is refused with what it must be", () => {
  expect(() => decodeHistogram("AAAA")).toThrow("must be HdrHistogram V2");
});
