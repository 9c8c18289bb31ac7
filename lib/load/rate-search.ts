// The highest rate that a target bears, found in few probes: from an estimate outwards until one rate is borne and a
// higher one is not, then halving what lies between, on a logarithmic scale.
import { highestRate } from "./rate-curve.ts";

/** The first step away from the estimate; each further one is twice as wide. */
const firstStep = Math.log(1.1);

export class RateSearch {
  readonly #tolerance: number;
  #step = firstStep;
  #nextRate: number | undefined;
  #borne: number | undefined;
  #refused: number | undefined;

  /** Ends when the two rates are within `tolerance`, a share such as 0.01. */
  constructor(estimate: number, tolerance: number) {
    this.#tolerance = tolerance;
    this.#nextRate = Math.min(highestRate, Math.max(1, Math.round(estimate)));
  }

  /** The rate to try next, a whole number of requests per second; undefined: the search is over. */
  get nextRate(): number | undefined {
    return this.#nextRate;
  }

  /** The highest rate that was borne; undefined: none was. */
  get highestRate(): number | undefined {
    return this.#borne;
  }

  /** Takes the outcome of `nextRate`. */
  record(isBorne: boolean): void {
    const rate = this.#nextRate;
    if (rate === undefined) throw new Error("Cannot record a probe: the search is over");
    if (isBorne) this.#borne = Math.max(rate, this.#borne ?? 0);
    else this.#refused = Math.min(rate, this.#refused ?? Number.POSITIVE_INFINITY);
    const next = this.#propose();
    this.#nextRate = next === rate ? undefined : next;
  }

  #propose(): number | undefined {
    const borne = this.#borne;
    const refused = this.#refused;
    if (borne !== undefined && refused !== undefined) {
      const isClose = refused / borne <= 1 + this.#tolerance || refused - borne <= 1;
      return isClose ? undefined : Math.round(Math.sqrt(borne * refused));
    }
    const factor = Math.exp(this.#step);
    this.#step *= 2;
    if (borne !== undefined) return Math.min(highestRate, Math.ceil(borne * factor));
    const lower = Math.floor((refused as number) / factor);
    return lower >= 1 ? lower : undefined;
  }
}
