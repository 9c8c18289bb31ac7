// What workers left behind, added up one by one: the histograms of 500 workers together would fill the controller's memory.
import { type Account, emptyAccount, sumAccounts } from "../stats/account.ts";
import { type DecodedHistogram, errorShareOf } from "../stats/compact-histogram.ts";
import { Histogram } from "../stats/histogram.ts";
import { addWorker, emptyTotals } from "../stats/totals.ts";
import type { PartResult, WorkerResult } from "../stats/worker-result.ts";

/** Histograms of several resolutions, merged; the error is that of the coarsest. */
class MergedHistogram {
  readonly histogram = new Histogram();
  errorShare = 0;

  take({ histogram, slotsPerOctave }: DecodedHistogram): void {
    this.histogram.merge(histogram);
    this.errorShare = Math.max(this.errorShare, errorShareOf(slotsPerOctave));
  }
}

export interface PartTotal {
  account: Account;
  /** undefined: not all workers have told. */
  latency: MergedHistogram | undefined;
}

/** The parts of a whole, such as its paths. */
class PartsTally {
  #parts: PartTotal[] | undefined;

  constructor(count: number) {
    if (count < 2) return;
    this.#parts = Array.from({ length: count }, () => ({ account: emptyAccount(), latency: new MergedHistogram() }));
  }

  /** A worker that ended before others were added tells of the first ones. */
  take(told: readonly PartResult[] | undefined): void {
    if (told === undefined || told.length > (this.#parts?.length ?? 0)) this.#parts = undefined;
    for (const [index, { account, latency }] of (told ?? []).entries()) {
      const part = this.#parts?.[index];
      if (part === undefined) return;
      part.account = sumAccounts([part.account, account]);
      if (latency === undefined) part.latency = undefined;
      else part.latency?.take(latency);
    }
  }

  /** undefined where there is a single part, which is the whole, or where not all workers have told. */
  get parts(): readonly PartTotal[] | undefined {
    return this.#parts;
  }
}

export class Tally {
  readonly totals = emptyTotals();
  readonly backends: PartsTally;
  readonly paths: PartsTally;
  readonly errorShares = { latency: 0, service: 0, slip: 0 };

  constructor(backends: number, paths: number) {
    this.backends = new PartsTally(backends);
    this.paths = new PartsTally(paths);
  }

  take(result: WorkerResult): void {
    const { account, latency, service, slip, generatorSlip, connectionWait, counters } = result;
    addWorker(
      this.totals,
      result,
      { account, latency: latency.histogram, service: service.histogram, slip: slip.histogram },
      { slip: generatorSlip.histogram, connectionWait: connectionWait.histogram, counters },
    );
    for (const name of ["latency", "service", "slip"] as const) {
      this.errorShares[name] = Math.max(this.errorShares[name], errorShareOf(result[name].slotsPerOctave));
    }
    this.backends.take(result.backends);
    this.paths.take(result.paths);
  }

  /** Adds requests that no worker tells of. */
  lose(lost: number): void {
    const { recording } = this.totals;
    recording.account = sumAccounts([recording.account, { ...emptyAccount(), scheduled: lost, lost }]);
  }
}
