// The highest rate at which a target keeps the thresholds: a closed loop says what it can do at most, a search in open
// loop finds where the thresholds hold.
import { RateSearch } from "../load/rate-search.ts";
import type { Summary } from "../stats/summary.ts";
import { type LoadRun, runLoad } from "./run-load.ts";

/** Probes in all, the closed loop among them. */
const mostProbes = 12;
/** Of the rate: how close the search comes. Half of what is promised, as each probe has its own error. */
const tolerance = 0.01;
/** Of the requests: how many may be owed at the end of a probe. A target that bears the rate owes none for long. */
const owedLimit = 0.01;

export interface Probe {
  /** null: the closed loop that begins the search. */
  requestsPerSecond: number | null;
  /**
   * Whether all thresholds were kept, the generator's own lateness included, which counts as latency, and the target did
   * not fall behind; null: nothing is known, because the generator may be to blame. Always null for the closed loop.
   */
  kept: boolean | null;
  /** Whether requests were owed at the end: the queue for the target had begun to grow, however short it still was. */
  fellBehind: boolean;
  summary: Summary;
}

export interface FoundMaximum {
  probes: Probe[];
  /** The highest rate that kept the thresholds; null: none did. */
  requestsPerSecond: number | null;
  /** Why a higher rate was not tried, where the generator and not the target is the limit; empty otherwise. */
  generatorLimits: string[];
}

/** Searches the maximum by runs of `run.load`'s duration each; `onProbe` is told of each. Stops early with `run.stop`. */
export async function findMax(run: LoadRun, onProbe: (probe: Probe) => void): Promise<FoundMaximum> {
  const probes: Probe[] = [];
  const probe = async (rate: number | null): Promise<Probe> => {
    const load = { ...run.load, requestsPerSecond: rate ?? ("max" as const) };
    const summary = await runLoad({ ...run, load, thresholds: rate === null ? [] : run.thresholds });
    const fellBehind = owedAtEnd(summary, (run.load.durationNs ?? 0) / 1e9) > owedLimit;
    const isKept = summary.completed > 0 && summary.thresholds.every(({ passed }) => passed) && !fellBehind;
    const kept = rate === null || !(isKept || summary.valid) ? null : isKept;
    const done = { requestsPerSecond: rate, kept, fellBehind, summary };
    probes.push(done);
    onProbe(done);
    return done;
  };
  const estimate = await probe(null);
  const search = new RateSearch(estimate.summary.throughputPerSecond, tolerance);
  let generatorLimits: string[] = [];
  while (search.nextRate !== undefined && probes.length < mostProbes && !run.stop.aborted) {
    let { kept, summary } = await probe(search.nextRate);
    if (kept === null && probes.length < mostProbes) ({ kept, summary } = await probe(search.nextRate)); // once more
    if (kept !== true) generatorLimits = kept === null ? summary.invalidReasons : []; // the lowest refused comes last
    search.record(kept === true);
  }
  return { probes, requestsPerSecond: search.highestRate ?? null, generatorLimits };
}

/**
 * The share of the asked requests that were neither completed when the schedule ended nor then on their way, of which
 * there are rate · service time (Little's law).
 */
function owedAtEnd({ askedPerSecond, throughputPerSecond, serviceTimeUs }: Summary, seconds: number): number {
  if (askedPerSecond === null) return 0;
  return 1 - throughputPerSecond / askedPerSecond - serviceTimeUs.mean / 1e6 / seconds;
}
