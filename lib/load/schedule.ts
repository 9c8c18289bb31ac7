// When each request of a worker is due: its own requests, by position (sequence.ts), on the curve of the rate.

import type { RateCurve } from "./rate-curve.ts";
import type { Sequence } from "./sequence.ts";

/** What a driver sends by. Instants are ns since the start. */
export interface Schedule {
  /** Number of the next request: how many lie behind. */
  readonly index: number;
  /** When the next request is due, asked at `elapsedNs`; Infinity when there is none. */
  nextNs(elapsedNs: number): number;
  advance(): void;
  /** How many requests have been due until `elapsedNs`, that instant included. */
  dueCount(elapsedNs: number): number;
  /** Passes over all that is due until `elapsedNs`. */
  skip(elapsedNs: number): void;
  /** When the last segment of the schedule ends; Infinity without end. */
  readonly endNs: number;
}

/** The open loop: every request has its instant before the run begins, whatever the responses do. */
export class OpenLoop implements Schedule {
  readonly #sequence: Sequence;
  readonly #curve: RateCurve;
  #nextNs: number;

  constructor(curve: RateCurve, sequence: Sequence) {
    this.#curve = curve;
    this.#sequence = sequence;
    this.#nextNs = curve.instantNs(sequence.position);
  }

  get index(): number {
    return this.#sequence.index;
  }

  get endNs(): number {
    return this.#curve.endNs;
  }

  nextNs(): number {
    return this.#nextNs;
  }

  advance(): void {
    this.#sequence.advance();
    this.#nextNs = this.#curve.instantNs(this.#sequence.position);
  }

  dueCount(elapsedNs: number): number {
    if (this.#nextNs > elapsedNs) return this.#sequence.index;
    const walk = new OpenLoop(this.#curve, this.#sequence.copy());
    walk.skip(elapsedNs);
    return walk.index;
  }

  skip(elapsedNs: number): void {
    // The count is real and rounded: it leads to the edge, instants decide there.
    const count = Math.min(this.#curve.countAt(elapsedNs), this.#curve.total) - 1;
    this.#sequence.advanceBeyond(Math.min(count, Number.MAX_SAFE_INTEGER));
    this.#nextNs = this.#curve.instantNs(this.#sequence.position);
    // Beyond that positions are not exact, and a walk to an instant of then would not end.
    while (this.#nextNs <= elapsedNs && this.#sequence.position < Number.MAX_SAFE_INTEGER) this.advance();
  }

  /** A copy of its walk, for another schedule to go on with. */
  walk(): Sequence {
    return this.#sequence.copy();
  }
}

/** The closed loop: a request is due whenever a connection is free, until the end. */
export class ClosedLoop implements Schedule {
  index = 0;
  readonly endNs: number;

  constructor(durationNs = Number.POSITIVE_INFINITY) {
    this.endNs = durationNs;
  }

  nextNs(elapsedNs: number): number {
    return elapsedNs < this.endNs ? elapsedNs : Number.POSITIVE_INFINITY;
  }

  advance(): void {
    this.index++;
  }

  dueCount(): number {
    return this.index;
  }

  skip(): void {}
}
