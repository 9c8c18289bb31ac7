import { expect, test } from "bun:test";
import fc from "fast-check";
import { coarsen, decodeCompact, encodeCompact, leastBudgetBytes } from "../../lib/stats/compact-histogram.ts";
import { Histogram, highestOf, highestValueNs, slotCount } from "../../lib/stats/histogram.ts";

const resolutions = Array.from({ length: 14 }, (_, level) => 128 / 2 ** level);
const resolution = fc.constantFrom(...resolutions);
const budget = fc.oneof(
  fc.integer({ min: leastBudgetBytes, max: 300 }),
  fc.integer({ min: leastBudgetBytes, max: 20_000 }),
);

const durations = fc.array(
  fc.oneof(fc.nat(1000), fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: 0, max: highestValueNs })),
  { maxLength: 300 },
);

function histogramOf(durationsNs: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const durationNs of durationsNs) histogram.record(durationNs);
  return histogram;
}

const recorded = durations.map(histogramOf);

/** Histograms that no run records: few or all slots filled, with counts of every size, 2^53 - 1 together at most. */
const contrived = fc
  .record({
    slots: fc.oneof(
      fc.array(fc.nat(slotCount - 1), { maxLength: 40 }),
      fc.constant(Array.from({ length: slotCount }, (_, slot) => slot)),
    ),
    bits: fc.integer({ min: 1, max: 40 }),
    seed: fc.nat(),
  })
  .map(({ slots, bits, seed }) => {
    const histogram = new Histogram();
    for (const slot of slots) {
      const count = Math.floor(2 ** bits * fraction(seed, slot));
      if (count === 0) continue;
      histogram.counts[slot] = count;
      histogram.maxNs = Math.max(histogram.maxNs, highestOf(slot));
    }
    histogram.total = histogram.counts.reduce((sum, count) => sum + count, 0);
    histogram.sumNs = histogram.total * 1000;
    return histogram;
  });

const histograms = fc.oneof(recorded, contrived);

/** Some number from 0 to below 1 for each pair. */
function fraction(seed: number, index: number): number {
  const mixed = Math.imul(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 4294967296;
}

function sumOf(a: Histogram, b: Histogram): Histogram {
  const sum = new Histogram();
  sum.merge(a);
  sum.merge(b);
  return sum;
}

test("encodeCompact() never exceeds its budget, and its text needs no quoting", () => {
  fc.assert(
    fc.property(histograms, budget, (histogram, budgetBytes) => {
      expect(encodeCompact(histogram, budgetBytes).text).toMatch(new RegExp(`^[\\w-]{1,${budgetBytes}}$`));
    }),
    { numRuns: 300 },
  );
});

test("a full histogram with counts up to 2^53 fits into every budget, too", () => {
  const histogram = Object.assign(new Histogram(), { total: 2 ** 53, sumNs: Number.MAX_VALUE, maxNs: highestValueNs });
  for (const pattern of [[2 ** 53], [2 ** 53, 0], [0, 2 ** 53, 1], [1, 2 ** 26]]) {
    for (let slot = 0; slot < slotCount; slot++) histogram.counts[slot] = pattern[slot % pattern.length]!;
    for (const budgetBytes of [leastBudgetBytes, 36, 40, 64, 128, 512, 3400]) {
      expect(encodeCompact(histogram, budgetBytes).text.length).toBeLessThanOrEqual(budgetBytes);
    }
  }
});

test("decode after encode is the histogram at the resolution kept", () => {
  fc.assert(
    fc.property(histograms, budget, (histogram, budgetBytes) => {
      const { text, slotsPerOctave } = encodeCompact(histogram, budgetBytes);
      expect(decodeCompact(text)).toEqual({ histogram: coarsen(histogram, slotsPerOctave), slotsPerOctave });
    }),
    { numRuns: 300 },
  );
});

test("encodeCompact() keeps the finest resolution that fits, and gives the same text for the same samples", () => {
  fc.assert(
    fc.property(durations, budget, (durationsNs, budgetBytes) => {
      const { text, slotsPerOctave } = encodeCompact(histogramOf(durationsNs), budgetBytes);
      expect(encodeCompact(histogramOf(durationsNs.toReversed()), text.length)).toEqual({ text, slotsPerOctave });
      if (slotsPerOctave === 128) return;
      const finer = encodeCompact(histogramOf(durationsNs), 1e6);
      expect(finer.slotsPerOctave).toBe(128);
      expect(finer.text.length).toBeGreaterThan(budgetBytes);
    }),
  );
});

test("coarsen() of a sum is the sum of what is coarse, at the same resolution or a finer one", () => {
  fc.assert(
    fc.property(recorded, recorded, resolution, fc.nat(13), (a, b, coarse, finerBy) => {
      const fine = Math.min(128, coarse * 2 ** finerBy);
      const sum = coarsen(sumOf(a, b), coarse);
      expect(sumOf(coarsen(a, coarse), coarsen(b, coarse))).toEqual(sum);
      expect(coarsen(sumOf(coarsen(a, fine), b), coarse)).toEqual(sum);
    }),
  );
});

test("decoded histograms add up exactly, at the coarser of their resolutions", () => {
  fc.assert(
    fc.property(recorded, recorded, budget, budget, (a, b, budgetOfA, budgetOfB) => {
      const left = decodeCompact(encodeCompact(a, budgetOfA).text);
      const right = decodeCompact(encodeCompact(b, budgetOfB).text);
      const coarser = Math.min(left.slotsPerOctave, right.slotsPerOctave);
      const sum = sumOf(left.histogram, right.histogram);
      expect(coarsen(sum, coarser)).toEqual(coarsen(sumOf(a, b), coarser));
    }),
  );
});

test("quantiles are those of the sorted samples, up to what the resolution says", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat(1000), fc.integer({ min: 0, max: highestValueNs })), { minLength: 1, maxLength: 100 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      resolution,
      (values, quantile, slotsPerOctave) => {
        const sorted = values.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)] as number;
        const measured = coarsen(histogramOf(values), slotsPerOctave).quantileNs(quantile);
        const scale = Math.max(exact, 128);
        expect(measured).toBeGreaterThanOrEqual(exact);
        if (slotsPerOctave >= 1) expect(measured - exact).toBeLessThanOrEqual(scale / slotsPerOctave);
        else expect(measured).toBeLessThan(scale * 2 ** (1 / slotsPerOctave));
      },
    ),
    { numRuns: 1000 },
  );
});

/** Samples of a log-normal latency (median 2 ms, σ 0.8): what is expected in each slot, off by its square root. */
function logNormal(sampleCount: number): Histogram {
  const histogram = new Histogram();
  for (let slot = 1; slot < slotCount; slot++) {
    const density = (ns: number) => Math.exp(-0.5 * (Math.log(ns / 2e6) / 0.8) ** 2) / (0.8 * Math.sqrt(2 * Math.PI));
    const expected =
      sampleCount * density(highestOf(slot)) * Math.log((highestOf(slot) + 1) / (highestOf(slot - 1) + 1));
    const angle = 2 * Math.PI * fraction(2, slot);
    const count = expected + Math.sqrt(-2 * expected * Math.log(1 - fraction(1, slot))) * Math.cos(angle);
    histogram.counts[slot] = Math.max(0, Math.round(count));
  }
  histogram.total = histogram.counts.reduce((sum, count) => sum + count, 0);
  return histogram;
}

test("what is usual keeps 0.8 % in 2000 bytes, 10 million samples as well", () => {
  for (const sampleCount of [4e5, 1e7]) expect(encodeCompact(logNormal(sampleCount), 2000).slotsPerOctave).toBe(128);
});

test("the empty histogram is as short as can be", () => {
  expect(encodeCompact(new Histogram(), leastBudgetBytes)).toMatchObject({ slotsPerOctave: 128 });
});

test("a budget that nothing fits into is refused", () => {
  for (const budgetBytes of [leastBudgetBytes - 1, 0, -1, Number.NaN]) {
    expect(() => encodeCompact(new Histogram(), budgetBytes)).toThrow("must be at least 35");
  }
});

test("a resolution that is none is refused", () => {
  for (const slotsPerOctave of [256, 100, 0, -1, 2 ** -7, Number.NaN]) {
    expect(() => coarsen(new Histogram(), slotsPerOctave)).toThrow("must be a power of 2 from 1/64 to 128");
  }
});

test("text that is cut, lengthened or no histogram at all is refused with what it must be", () => {
  const refused = (text: string) => expect(() => decodeCompact(text)).toThrow("must be what encodeCompact wrote");
  fc.assert(
    fc.property(recorded, fc.nat(), fc.string(), (histogram, cut, more) => {
      const { text } = encodeCompact(histogram, 1e6);
      refused(text.slice(0, cut % text.length));
      refused(`${text}A`);
      refused(`${text}AAAA`);
      refused(`${text} `);
      refused(more);
    }),
  );
});

test("damaged text is refused or read as some histogram, in no time", () => {
  fc.assert(
    fc.property(recorded, fc.nat(), fc.nat(255), (histogram, where, byte) => {
      const bytes = Buffer.from(encodeCompact(histogram, 1e6).text, "base64url");
      bytes[where % bytes.length] = byte;
      try {
        const { counts, total } = decodeCompact(bytes.toString("base64url")).histogram;
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(total);
      } catch (error: unknown) {
        expect(String(error)).toContain("must be what encodeCompact wrote");
      }
    }),
    { numRuns: 500 },
  );
});
