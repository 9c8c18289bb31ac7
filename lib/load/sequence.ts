// Which of all requests are a worker's own, one after the other, as positions on the global count of requests; a
// RateCurve makes instants of them. Worker i of n has the requests k ≡ i (mod n), so shares add up exactly and merged
// arrivals stay evenly spaced. Of several backends, each has its own sequence: the turns that fall to it.
//
//   even      position of own request j = i + j·n
//   Poisson   position of own request j = n · (E₀ + … + E_j), with Eⱼ exponential of mean 1: the worker has rate/n of
//             its own, and the workers' union is a Poisson process again. A sequence that begins in mid-schedule, at
//             position b, has the positions b + n · (E₀ + … + E_j): a Poisson process has no memory
import { Random } from "./random.ts";
import type { Turns } from "./turns.ts";

export interface Share {
  /** i, from 0. */
  index: number;
  /** n, at least 1. */
  count: number;
}

/** The own requests j whose turn is that of one backend: j = cycle · ⌊m / p⌋ + offsets[m mod p], p = offsets' length. */
export interface Lane {
  cycle: number;
  offsets: readonly number[];
}

export const wholeLane: Lane = { cycle: 1, offsets: [0] };

/** The lane of backend `which`, by the turns of a worker's backends. */
export function laneOf(turns: Turns, which: number): Lane {
  const cycle = turns.cycle.length;
  const offsets = Array.from({ length: cycle }, (_, j) => j).filter((j) => turns.at(j) === which);
  return { cycle, offsets };
}

/** A walk over own requests, numbered m = 0, 1, …; the walker stands before request `index`, at `position`. */
export interface Sequence {
  readonly index: number;
  readonly position: number;
  advance(): void;
  /** Goes on to the first request with a position above `position`. */
  advanceBeyond(position: number): void;
  copy(): Sequence;
}

export class EvenSequence implements Sequence {
  index: number;
  position: number;
  readonly #share: Share;
  readonly #lane: Lane;

  constructor(share: Share, lane: Lane, index = 0) {
    this.#share = share;
    this.#lane = lane;
    this.index = index;
    this.position = this.#positionOf(index);
  }

  advance(): void {
    this.position = this.#positionOf(++this.index);
  }

  advanceBeyond(position: number): void {
    const { cycle, offsets } = this.#lane;
    const own = Math.floor((position - this.#share.index) / this.#share.count) + 1; // own requests up to there
    if (own <= 0) return;
    const cycles = Math.floor(own / cycle);
    const rest = own - cycles * cycle;
    this.index = Math.max(this.index, cycles * offsets.length + offsets.filter((offset) => offset < rest).length);
    this.position = this.#positionOf(this.index);
  }

  copy(): EvenSequence {
    return new EvenSequence(this.#share, this.#lane, this.index);
  }

  #positionOf(m: number): number {
    const { cycle, offsets } = this.#lane;
    const p = offsets.length;
    const j = p === cycle ? m : cycle * Math.floor(m / p) + (offsets[m % p] as number);
    return this.#share.index + j * this.#share.count;
  }
}

export class PoissonSequence implements Sequence {
  index = 0;
  position = 0;
  readonly #share: Share;
  readonly #lane: Lane;
  #random: Random;
  readonly #begin: number;
  /** Own requests of all lanes drawn so far. */
  #drawn = 0;
  #sum = 0;

  constructor(share: Share, lane: Lane, seed: number, begin = 0) {
    this.#share = share;
    this.#lane = lane;
    this.#begin = begin;
    this.#random = new Random(seed + begin, share.index);
    this.#draw();
  }

  advance(): void {
    this.index++;
    this.#draw();
  }

  advanceBeyond(position: number): void {
    while (this.position <= position) this.advance();
  }

  copy(): PoissonSequence {
    const copy = new PoissonSequence(this.#share, this.#lane, 0, this.#begin);
    copy.index = this.index;
    copy.position = this.position;
    copy.#random = this.#random.copy();
    copy.#drawn = this.#drawn;
    copy.#sum = this.#sum;
    return copy;
  }

  /** Draws up to request `index` of the lane: those of other lanes are drawn too, and passed over. */
  #draw(): void {
    const { cycle, offsets } = this.#lane;
    const p = offsets.length;
    const j = cycle * Math.floor(this.index / p) + (offsets[this.index % p] as number);
    while (this.#drawn <= j) {
      this.#sum += this.#random.exponential();
      this.#drawn++;
    }
    this.position = this.#begin + this.#sum * this.#share.count;
  }
}
