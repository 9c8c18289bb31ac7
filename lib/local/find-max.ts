// The highest rate at which a target keeps the thresholds: a closed loop says what it can do at most, a search in open
// loop finds where the thresholds hold.
import { RateSearch } from "../load/rate-search.ts";
import type { Maximum, Probe } from "../stats/maximum.ts";
import type { Summary } from "../stats/summary.ts";
import { type LoadRun, runLoad } from "./run-load.ts";

/** Probes in all, the closed loop among them. */
const mostProbes = 12;
/** Of the rate: how close the search comes. Half of what is promised, as each probe has its own error. */
const tolerance = 0.01;
/** Of the requests: how many may be owed at the end of a probe. A target that bears the rate owes none for long. */
const owedLimit = 0.01;

/**
 * Searches the maximum by runs of `run.load`'s duration each; `onProbe` is told of each. Ends early with `run.stop`.
 * Rejects when the first probe, the closed loop, cannot be run.
 */
export async function findMax(run: LoadRun, onProbe: (probe: Probe) => void): Promise<Maximum> {
  const probes: Probe[] = [];
  const tell = (probe: Probe): Probe => {
    probes.push(probe);
    onProbe(probe);
    return probe;
  };
  const load = { ...run.load, arrivals: "Constant" as const };
  const first = await runLoad({ ...run, load: { ...load, requestsPerSecond: "max" }, thresholds: [] });
  tell({ requestsPerSecond: null, kept: null, fellBehind: false, failure: null, summary: first });

  const probe = async (requestsPerSecond: number): Promise<Probe | undefined> => {
    try {
      const summary = await runLoad({ ...run, load: { ...load, requestsPerSecond } });
      if (run.stop.aborted) return undefined; // cut short, it says nothing of this rate
      return tell({ requestsPerSecond, failure: null, summary, ...judge(summary) });
    } catch (error: unknown) {
      if (run.stop.aborted) return undefined;
      const failure = (error as Error).message; // an overloaded target may refuse even connections
      return tell({ requestsPerSecond, kept: false, fellBehind: false, failure, summary: null });
    }
  };
  const search = new RateSearch(first.throughputPerSecond, tolerance);
  let generatorLimits: string[] = [];
  while (search.nextRate !== undefined && probes.length < mostProbes && !run.stop.aborted) {
    let done = await probe(search.nextRate);
    if (done?.kept === null && probes.length < mostProbes) done = await probe(search.nextRate); // once more
    if (done === undefined) break;
    // The lowest rate refused comes last.
    if (done.kept !== true) generatorLimits = done.kept === null ? (done.summary?.invalidReasons ?? []) : [];
    search.record(done.kept === true);
  }
  const { highestRate = null, nextRate } = search;
  return { probes, requestsPerSecond: highestRate, isExact: nextRate === undefined, generatorLimits };
}

function judge(summary: Summary): Pick<Probe, "kept" | "fellBehind"> {
  const fellBehind = owedAtEnd(summary) > owedLimit;
  const isKept = summary.completed > 0 && summary.thresholds.every(({ passed }) => passed) && !fellBehind;
  return { kept: isKept || summary.valid ? isKept : null, fellBehind };
}

/**
 * The share of requests that had no outcome when the schedule ended and were not then on their way to one, of which
 * there are rate · service time (Little's law). The completed ones stand for all that had one.
 */
function owedAtEnd({
  scheduled,
  completed,
  unsent,
  throughputPerSecond,
  sentPerSecond,
  sent,
  serviceTimeUs,
}: Summary): number {
  const seconds = sent / sentPerSecond;
  const inTime = (throughputPerSecond * seconds) / Math.max(1, completed);
  return 1 - inTime + unsent / scheduled - serviceTimeUs.mean / 1e6 / seconds;
}
