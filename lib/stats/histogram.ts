// A log-linear histogram of nanoseconds, laid out as HdrHistogram with two significant digits, so that any such
// reader understands it. Merging is adding counts: exact, in any order.
//
//   value v, ns      slot                                    width of a slot
//   0 … 255          v                                       1
//   2^e … 2^(e+1)-1  256 + (e-8)·128 + (v >> (e-7)) - 128     2^(e-7): at most v/128, so 0.8 % of v

const linearBits = 8;
const linearSlots = 1 << linearBits; // 256
const slotsPerOctave = linearSlots / 2; // 128
/** Values are clamped to 2^43 - 1 ns, 2.4 hours. */
const valueBits = 43;
export const highestValueNs = 2 ** valueBits - 1;
export const slotCount = linearSlots + (valueBits - linearBits) * slotsPerOctave;

/** The slot of a whole number of nanoseconds from 0 to `highestValueNs`. */
export function slotOf(valueNs: number): number {
  if (valueNs < linearSlots) return valueNs;
  // Bit operations are 32 bits wide: a larger value is first brought down by 16 bits, which its slot ignores anyway.
  const isWide = valueNs >= 0x80000000;
  const low = isWide ? Math.floor(valueNs / 65536) : valueNs;
  const shift = 31 - Math.clz32(low) - (linearBits - 1);
  const exponent = shift + (isWide ? 16 : 0);
  return exponent * slotsPerOctave + (low >>> shift);
}

/** The lowest value (ns) that falls into `slot`. */
export function lowestOf(slot: number): number {
  if (slot < linearSlots) return slot;
  const octave = Math.floor(slot / slotsPerOctave) - 1;
  return (slot - octave * slotsPerOctave) * 2 ** octave;
}

/** The highest value (ns) that falls into `slot`. */
export function highestOf(slot: number): number {
  return lowestOf(slot + 1) - 1;
}

export class Histogram {
  /** Count per slot, exact up to 2^53. */
  readonly counts = new Float64Array(slotCount);
  total = 0;
  sumNs = 0;
  maxNs = 0;

  /** Records one duration; negative ones count as 0, those above `highestValueNs` as that. Allocates nothing. */
  record(durationNs: number): void {
    const value = durationNs <= 0 ? 0 : durationNs >= highestValueNs ? highestValueNs : Math.floor(durationNs);
    const slot = slotOf(value);
    this.counts[slot] = (this.counts[slot] as number) + 1;
    this.total += 1;
    this.sumNs += value;
    if (value > this.maxNs) this.maxNs = value;
  }

  /** Adds all that `other` has recorded. */
  merge(other: Histogram): void {
    for (let slot = 0; slot < slotCount; slot++) {
      this.counts[slot] = (this.counts[slot] as number) + (other.counts[slot] as number);
    }
    this.total += other.total;
    this.sumNs += other.sumNs;
    this.maxNs = Math.max(this.maxNs, other.maxNs);
  }

  /** The highest value (ns) of the slot that holds the sample of rank ⌈quantile · total⌉, at most the maximum; 0 when empty. */
  quantileNs(quantile: number): number {
    const rank = Math.max(1, Math.ceil(quantile * this.total));
    let seen = 0;
    for (let slot = 0; slot < slotCount; slot++) {
      seen += this.counts[slot] as number;
      if (seen >= rank) return Math.min(highestOf(slot), this.maxNs);
    }
    return 0;
  }

  /** Arithmetic mean (ns), from the exact sum; 0 when empty. */
  meanNs(): number {
    return this.total === 0 ? 0 : this.sumNs / this.total;
  }
}
