// Who comes next when several take turns by weight: backends by percent, requests by weight. Each comes exactly
// `weight` times in every cycle, spread as evenly as whole turns allow (smooth weighted round robin: whoever is owed
// most goes next).

export class Turns {
  /** Who takes which turn of a cycle. */
  readonly cycle: Uint16Array;
  readonly #weights: readonly number[];
  readonly #start: number;
  readonly #perCycle: readonly number[];

  /** Whole weights, at least 0 and not all 0; the first turn is turn `start` of the cycle. */
  constructor(weights: readonly number[], start: number) {
    const divisor = weights.reduce(greatestCommonDivisor, 0);
    this.#weights = weights;
    this.#start = start;
    this.#perCycle = weights.map((weight) => weight / divisor);
    const length = this.#perCycle.reduce((sum, weight) => sum + weight, 0);
    const owed = weights.map(() => 0);
    // Thousands of turns among dozens, while a load may be running: a plain loop.
    this.cycle = new Uint16Array(length);
    for (let turn = 0; turn < length; turn++) {
      let next = 0;
      for (let who = 0; who < owed.length; who++) {
        owed[who]! += this.#perCycle[who]!;
        if (owed[who]! > owed[next]!) next = who;
      }
      owed[next]! -= length;
      this.cycle[turn] = next;
    }
  }

  /** Whether it was made of these: then another one that is would be the same. */
  isOf(weights: readonly number[], start: number): boolean {
    const isSame = weights.length === this.#weights.length && weights.every((weight, i) => weight === this.#weights[i]);
    return isSame && start === this.#start;
  }

  /** Whose turn number `n` is. */
  at(n: number): number {
    return this.cycle[(n + this.#start) % this.cycle.length] as number;
  }

  /** How many of the first `n` turns each one has. */
  counts(n: number): number[] {
    const { length } = this.cycle;
    const cycles = Math.floor(n / length);
    const counts = this.#perCycle.map((turns) => turns * cycles);
    for (let turn = cycles * length; turn < n; turn++) {
      const who = this.at(turn);
      counts[who] = (counts[who] as number) + 1;
    }
    return counts;
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
