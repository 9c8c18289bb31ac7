// Chance that repeats: the same seed gives the same numbers on every machine (sfc32, Chris Doty-Humphrey, PractRand).

export class Random {
  #a: number;
  #b: number;
  #c = 0x9e3779b9;
  #counter = 1;

  /** `seed` and `stream` are whole numbers; streams of one seed are independent. */
  constructor(seed: number, stream: number) {
    this.#a = seed | 0;
    this.#b = stream | 0;
    for (let i = 0; i < 15; i++) this.#next(); // until every bit of the state depends on both
  }

  /** A copy that goes on as this one would. */
  copy(): Random {
    const copy = new Random(0, 0);
    copy.#a = this.#a;
    copy.#b = this.#b;
    copy.#c = this.#c;
    copy.#counter = this.#counter;
    return copy;
  }

  /** Exponentially distributed with mean 1: the gap of a Poisson process of rate 1. */
  exponential(): number {
    // 53 bits, above 0 and at most 1, so that the logarithm is finite.
    const high = this.#next() >>> 5;
    const low = this.#next() >>> 6;
    return -Math.log((high * 67108864 + low + 1) / 9007199254740992);
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum;
  }
}
