// Histograms as text of a given length at most, for termination messages: as fine as fits. Coarser means pairs of slots
// merged, again and again, so that coarse histograms still add up exactly, and to what their sum is, made coarse.
//
//   level 0    128 slots an octave   ┌─┬─┬─┬─┬─┬─┬─┬─┐ 4736 counts, as Histogram has them
//   level 1     64 slots an octave   ├─┴─┼─┴─┼─┴─┼─┴─┤ 2368
//   level 2     32 slots an octave   ├───┴───┼───┴───┤ 1184 …
//   level 7      1 slot an octave    level 8: two octaves a slot …     level 13: one slot for all
//
// Text: base64url of version · level · total, sum and maximum (64-bit floats, big-endian) · bits. From level 13 down to
// the level kept, the bits say for each slot that is not empty how its count n splits into a left and a right half:
// expected as its neighbors slope, per width, off by about √n at random, hence in the Golomb code of order log₂ √n.
//
//   left = (n + (b - a) / 8) / 2    b, a: the counts of the slots before and after, for the width of this one
//
// A slot without samples costs nothing, the others little more than the entropy of their counts: at level 0 for 0.4 and 10
// million samples, log-normal with σ = 0.8: 1232 and 1824 bytes; with 8 % of stalls up to 1.4 s: 1495 and 2316; log-uniform
// from 50 µs to 30 s, the worst: 2683 and 3730.
import { BitReader, BitWriter } from "./compact-bits.ts";
import { Histogram, highestValueNs, lowestOf, slotCount } from "./histogram.ts";

const version = 0xc1;
const finestSlotsPerOctave = 128;
const coarsestLevel = Math.ceil(Math.log2(slotCount));
const headerBytes = 26;

/** The least budget (bytes) that every histogram fits into. */
export const leastBudgetBytes = Math.ceil((headerBytes * 4) / 3);

export interface CompactHistogram {
  text: string;
  /** See `coarsen`. */
  slotsPerOctave: number;
}

export interface DecodedHistogram {
  /** As `coarsen` returns it. */
  histogram: Histogram;
  slotsPerOctave: number;
}

/**
 * The histogram in at most `budgetBytes` of [A-Za-z0-9_-], as fine as fits: 128 slots an octave, or 64, 32, …, 1, ½ (two
 * octaves a slot), ¼ and so on. Throws a RangeError on less than `leastBudgetBytes`. Counts are exact up to 2^53 in all.
 */
export function encodeCompact(histogram: Histogram, budgetBytes: number): CompactHistogram {
  if (!(budgetBytes >= leastBudgetBytes)) {
    throw new RangeError(`Cannot encode a histogram in ${budgetBytes} bytes, must be at least ${leastBudgetBytes}`);
  }
  const levels = pyramid(histogram.counts);
  for (let level = 0; ; level++) {
    const bytes = encodeLevels(histogram, levels, level);
    // The coarsest has no bits, and so always fits.
    const text = bytes.toString("base64url");
    if (text.length <= budgetBytes) return { text, slotsPerOctave: finestSlotsPerOctave / 2 ** level };
  }
}

/** What `encodeCompact` wrote. Throws on text that it cannot have written. */
export function decodeCompact(text: string): DecodedHistogram {
  const bytes = Buffer.from(text, "base64url");
  if (bytes.toString("base64url") !== text || bytes.length < headerBytes || bytes[0] !== version) {
    throw unreadable("of another format");
  }
  const level = bytes.readUInt8(1);
  const totals = { total: bytes.readDoubleBE(2), sumNs: bytes.readDoubleBE(10), maxNs: bytes.readDoubleBE(18) };
  if (level > coarsestLevel || !arePossible(totals)) throw unreadable("damaged");
  const counts = decodeLevels(totals.total, level, new BitReader(bytes.subarray(headerBytes)));
  return { histogram: spread(counts, level, totals), slotsPerOctave: finestSlotsPerOctave / 2 ** level };
}

/**
 * The same samples in `slotsPerOctave`: 128, 64, … 1, ½ and so on. Total, sum and maximum stay. Quantiles are never lower
 * than they were exactly, and for v ns, m = max(v, 128), higher by at most m / slotsPerOctave (0.8 % for 128, 1.6 % for
 * 64); with less than one slot an octave, still below m · 2 ^ (1 / slotsPerOctave).
 */
export function coarsen(histogram: Histogram, slotsPerOctave: number): Histogram {
  const level = Math.log2(finestSlotsPerOctave / slotsPerOctave);
  const counts = pyramid(histogram.counts)[level];
  if (counts === undefined) {
    throw new RangeError(`Cannot coarsen to ${slotsPerOctave} slots an octave, must be a power of 2 from 1/64 to 128`);
  }
  return spread(counts, level, histogram);
}

/** By how much (a share) quantiles of at least 128 ns may be above the exact ones, at this resolution. */
export function errorShareOf(slotsPerOctave: number): number {
  return slotsPerOctave >= 1 ? 1 / slotsPerOctave : 2 ** (1 / slotsPerOctave);
}

function unreadable(what: string): Error {
  return new Error(`Cannot decode a compact histogram: the text is ${what}, must be what encodeCompact wrote`);
}

/** So that the sums of many are finite. */
const highestSumNs = Number.MAX_SAFE_INTEGER * highestValueNs;

type Totals = Pick<Histogram, "total" | "sumNs" | "maxNs">;

function arePossible({ total, sumNs, maxNs }: Totals): boolean {
  const areWhole = Number.isSafeInteger(total) && Number.isInteger(maxNs);
  return areWhole && total >= 0 && maxNs >= 0 && maxNs <= highestValueNs && sumNs >= 0 && sumNs <= highestSumNs;
}

/** The counts at every level, of which each merges the pairs of the one before. */
function pyramid(finest: Float64Array): Float64Array[] {
  const levels = [finest];
  for (let counts = finest; counts.length > 1; levels.push(counts)) counts = mergePairs(counts);
  return levels;
}

function mergePairs(counts: Float64Array): Float64Array {
  const merged = new Float64Array(Math.ceil(counts.length / 2));
  for (let slot = 0; slot < counts.length; slot++) merged[slot >> 1]! += counts[slot]!;
  return merged;
}

/** A histogram with each count in the highest of the slots that it stands for. */
function spread(counts: Float64Array, level: number, { total, sumNs, maxNs }: Totals): Histogram {
  const histogram = Object.assign(new Histogram(), { total, sumNs, maxNs });
  for (let index = 0; index < counts.length; index++) {
    const count = counts[index]!;
    if (count !== 0) histogram.counts[Math.min((index + 1) * 2 ** level, slotCount) - 1] = count;
  }
  return histogram;
}

function encodeLevels({ sumNs, maxNs }: Histogram, levels: readonly Float64Array[], level: number): Buffer {
  const head = Buffer.alloc(headerBytes);
  head[0] = version;
  head[1] = level;
  head.writeDoubleBE(levels[coarsestLevel]![0]!, 2);
  head.writeDoubleBE(sumNs, 10);
  head.writeDoubleBE(maxNs, 18);
  const bits = new BitWriter();
  for (let coarser = coarsestLevel; coarser > level; coarser--) {
    const counts = levels[coarser]!;
    const halves = levels[coarser - 1]!;
    counts.forEach((count, index) => {
      if (count === 0 || 2 * index + 1 === halves.length) return;
      const rank = rankOf(halves[2 * index]!, count, expectedLeft(counts, index, coarser));
      bits.putGolomb(rank, orderOf(count));
    });
  }
  return Buffer.concat([head, Uint8Array.from(bits.bytes)]);
}

/** The counts at `level`. */
function decodeLevels(total: number, level: number, bits: BitReader): Float64Array {
  let counts = Float64Array.of(total);
  for (let coarser = coarsestLevel; coarser > level; coarser--) {
    const halves = new Float64Array(Math.ceil(slotCount / 2 ** (coarser - 1)));
    for (let index = 0; index < counts.length; index++) {
      const count = counts[index]!;
      if (count === 0) continue;
      if (2 * index + 1 === halves.length) {
        halves[2 * index] = count;
        continue;
      }
      const rank = bits.takeGolomb(orderOf(count));
      if (!(rank <= count)) throw unreadable("cut short or damaged");
      const left = leftOf(rank, count, expectedLeft(counts, index, coarser));
      halves[2 * index] = left;
      halves[2 * index + 1] = count - left;
    }
    counts = halves;
  }
  if (!bits.isAtEnd) throw unreadable("too long");
  return counts;
}

/** By level and slot, in nanoseconds; of the last slot, as if all slots went on. */
const slotWidths = Array.from({ length: coarsestLevel + 1 }, (_, level) =>
  Float64Array.from(
    { length: Math.ceil(slotCount / 2 ** level) },
    (_, slot) => lowestOf((slot + 1) * 2 ** level) - lowestOf(slot * 2 ** level),
  ),
);

/** The count of the left half of a slot, as the slots beside it let expect. */
function expectedLeft(counts: Float64Array, index: number, level: number): number {
  const widths = slotWidths[level]!;
  const beside = (slot: number) => {
    const besideCount = counts[slot] ?? 0;
    return besideCount === 0 ? 0 : (besideCount / widths[slot]!) * widths[index]!;
  };
  const count = counts[index]!;
  const expected = Math.round((count + (beside(index - 1) - beside(index + 1)) / 8) / 2);
  return Math.max(0, Math.min(count, expected));
}

/** ⌊log₂ √count⌋ */
function orderOf(count: number): number {
  let order = 0;
  for (let square = 4; square <= count; square *= 4) order++;
  return order;
}

// Numbers from 0 to count by their distance from the expected one: 0 for itself, then right, left, right, … and, where one
// side is used up, on the other.

function rankOf(left: number, count: number, expected: number): number {
  const bothSides = Math.min(expected, count - expected);
  const distance = Math.abs(left - expected);
  if (distance > bothSides) return distance + bothSides;
  return left > expected ? 2 * distance - 1 : 2 * distance;
}

function leftOf(rank: number, count: number, expected: number): number {
  const bothSides = Math.min(expected, count - expected);
  const isRight = rank > 2 * bothSides ? expected === bothSides : rank % 2 === 1;
  const distance = rank > 2 * bothSides ? rank - bothSides : Math.ceil(rank / 2);
  return isRight ? expected + distance : expected - distance;
}
