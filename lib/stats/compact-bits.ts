// Bits, the highest first, with whole numbers in the exponential Golomb code of order k: short for numbers around 2^k,
// and never much longer than a number itself.
//
//   value v, q = ⌊v / 2^k⌋ + 1 of n bits:   n - 1 zeros · the n bits of q · the k low bits of v

/** No whole number that is exact has more bits. */
const numberBits = 53;

export class BitWriter {
  readonly #bytes: number[] = [];
  #bitCount = 0;

  /** Of the last byte, the bits not written are 0. */
  get bytes(): readonly number[] {
    return this.#bytes;
  }

  /** A whole number from 0 to below 2^53. */
  putGolomb(value: number, order: number): void {
    const quotient = Math.floor(value / 2 ** order) + 1;
    let bitCount = 1;
    while (2 ** bitCount <= quotient) bitCount++;
    this.#put(0, bitCount - 1);
    this.#put(quotient, bitCount);
    this.#put(value % 2 ** order, order);
  }

  #put(value: number, bitCount: number): void {
    for (let bit = bitCount - 1; bit >= 0; bit--) {
      if (this.#bitCount % 8 === 0) this.#bytes.push(0);
      if (Math.floor(value / 2 ** bit) % 2 === 1) {
        this.#bytes[this.#bytes.length - 1]! |= 0x80 >> (this.#bitCount % 8);
      }
      this.#bitCount++;
    }
  }
}

export class BitReader {
  readonly #bytes: Uint8Array;
  #bitCount = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether all is read, but for the zeros that fill the last byte. */
  get isAtEnd(): boolean {
    return Math.ceil(this.#bitCount / 8) === this.#bytes.length && this.#take((8 - (this.#bitCount % 8)) % 8) === 0;
  }

  /** The next number; NaN when there is none. */
  takeGolomb(order: number): number {
    let zeros = 0;
    while (this.#take(1) === 0) {
      if (++zeros > numberBits) return Number.NaN;
    }
    return (2 ** zeros + this.#take(zeros) - 1) * 2 ** order + this.#take(order);
  }

  /** NaN beyond the end, which is then behind: `isAtEnd` is false. */
  #take(bitCount: number): number {
    let value = 0;
    for (let i = 0; i < bitCount; i++) {
      const at = this.#bitCount++;
      const byte = this.#bytes[at >> 3];
      if (byte === undefined) return Number.NaN;
      value = value * 2 + ((byte >> (7 - (at & 7))) & 1);
    }
    return value;
  }
}
