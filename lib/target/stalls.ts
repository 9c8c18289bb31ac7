// Stalls: the whole process sleeps, so nothing is accepted, read or answered, and connections and requests queue in the
// kernel as they would for a server that is stopped or collects garbage. A frozen server does no work either: its own
// clock stands still, and services and delays go on where they were.
import { monotonicNs } from "../runtime/clock.ts";
import { ReleaseLine } from "./release-line.ts";

export interface Stall {
  /** From the arrival of the first request. */
  atNs: number;
  lengthNs: number;
}

export class Stalls {
  /** How long the server has been frozen so far. */
  frozenNs = 0;
  /** The server's own clock: monotonic, without the time it was frozen. */
  readonly nowNs = (): number => monotonicNs() - this.frozenNs;
  readonly #stalls: readonly Stall[];
  readonly #line = new ReleaseLine<Stall>(monotonicNs, (stall) => this.#freeze(stall));
  #beganAtNs = 0;
  #isCanceled = false;

  /** In the order of time, none beginning before another's end. */
  constructor(stalls: readonly Stall[]) {
    this.#stalls = stalls;
  }

  /** Plans the stalls: the first request has arrived. */
  begin(firstArrivalNs: number): void {
    this.#beganAtNs = firstArrivalNs;
    for (const stall of this.#stalls) this.#line.push(firstArrivalNs + stall.atNs, stall);
  }

  cancel(): void {
    this.#isCanceled = true;
  }

  #freeze({ atNs, lengthNs }: Stall): void {
    if (this.#isCanceled) return;
    const startedAtNs = monotonicNs();
    const endsAtNs = this.#beganAtNs + atNs + lengthNs;
    let nowNs = startedAtNs;
    while (nowNs < endsAtNs) {
      Bun.sleepSync(Math.floor((endsAtNs - nowNs) / 1e6)); // whole milliseconds only; a signal may cut it short
      nowNs = monotonicNs();
    }
    this.frozenNs += nowNs - startedAtNs;
  }
}
