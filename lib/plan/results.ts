// Workers that have ended → the results of their LoadTest, by the same summary as `loadtest run`.
import { rateCurve, scheduleEndNs } from "../load/planned-schedule.ts";
import type { WorkerPlan } from "../load/worker-plan.ts";
import type { DepartedWorker } from "../loadtest/load-test-result.ts";
import { type LoadTestResults, mostPathResults, type PathResults } from "../loadtest/load-test-results.ts";
import type { Recording } from "../stats/recording.ts";
import { percentiles, summarizeTotals } from "../stats/summary.ts";
import type { Threshold } from "../stats/threshold.ts";
import { requestName } from "./compile.ts";
import { hasEnded } from "./crew.ts";
import type { Pod } from "./objects.ts";
import { observedPlan } from "./observed-plan.ts";
import { keepsPositions, latestPlan, type Script, withTimeline } from "./script.ts";
import { type PartTotal, Tally } from "./tally.ts";
import { type Planned, timelineOf } from "./timeline.ts";
import { toldWorkers } from "./told-worker.ts";
import { type Gap, untoldBy } from "./untold.ts";
import type { WorkerReport } from "./worker-report.ts";

const nameMaxLength = 256;
const mostStatusCodes = 100;

/** What is said of a run that is over. */
export interface RunOutcome {
  /** undefined: no worker left a result. */
  results: LoadTestResults | undefined;
  /** What is not known of it, in words. */
  gap: Pick<Gap, "reason"> | undefined;
}

export interface Measurement extends RunOutcome {
  gap: Gap | undefined;
  /** What all workers told, without the gap. */
  recording: Recording;
}

/** What is known of a run beside what its Pods say by themselves. */
export interface KnownOfRun {
  /** By Pod uid: of Pods that may have left no result. */
  reports?: ReadonlyMap<string, WorkerReport>;
  /** Of Pods that may be gone. */
  departed?: readonly DepartedWorker[];
  /** It was to end early: nothing was due after its stop. */
  isStopped?: boolean;
  /** The rates that were followed, which may be newer than those in the plans of Pods that are left. */
  followed?: Planned | undefined;
  /** What else its workers were to do, and how many, for when no Pod is left that says so. */
  script?: Script;
  desired?: number | undefined;
}

/**
 * What the workers of one run measured, whichever Pods they had; undefined unless all Pods have ended. A Pod counts once,
 * be it there or departed, and what was due and nobody tells of is a gap.
 */
export function measurementOf(
  pods: readonly Pod[],
  thresholds: readonly Threshold[],
  { reports = new Map(), departed = [], isStopped = false, followed, script, desired = 0 }: KnownOfRun = {},
): Measurement | undefined {
  const plans = pods.map(observedPlan).filter((plan) => plan !== undefined);
  const known = latestPlan(plans) ?? assumedPlan(script, departed, desired);
  const plan = known === undefined || followed === undefined ? known : withTimeline(known, timelineOf(followed));
  if (plan === undefined || !pods.every(hasEnded)) return undefined;
  const names = { backends: plan.backends.map(({ name }) => name), paths: plan.requests.map(requestName) };
  const haveParts = plans.length > 0 && plans.every((one) => keepsPositions(one, plan));
  const tally = haveParts ? new Tally(names.backends.length, names.paths.length) : new Tally(0, 0);
  const workers = toldWorkers(pods, departed, reports);
  const endSeconds = scheduleEndNs(plan) / 1e9; // what was last heard of a worker may be later: it waited for responses
  for (const { result } of workers) {
    if (result !== undefined)
      tally.take({ ...result, scheduledSeconds: Math.min(result.scheduledSeconds, endSeconds) });
  }
  const { gap, unclaimed } = untoldBy(workers, plan, isStopped);
  if (unclaimed > 0) tally.lose(unclaimed);
  const hasResults = tally.totals.generators.length > 0;
  return {
    results: hasResults ? resultsOf(tally, plan, names, thresholds, gap) : undefined,
    gap,
    recording: tally.totals.recording,
  };
}

/** Of workers that have left no Pod; undefined when none has told anything. */
function assumedPlan(
  script: Script | undefined,
  departed: readonly DepartedWorker[],
  desired: number,
): WorkerPlan | undefined {
  if (script === undefined || departed.length === 0) return undefined;
  const count = Math.max(desired, ...departed.map(({ worker }) => worker + 1));
  return { generation: 0, worker: { index: 0, count }, ...script, barrier: true };
}

function resultsOf(
  tally: Tally,
  plan: WorkerPlan,
  names: { backends: readonly string[]; paths: readonly string[] },
  thresholds: readonly Threshold[],
  gap: Gap | undefined,
): LoadTestResults {
  const curve = rateCurve(plan);
  const { askedPerSecond, statusCodes, passed, ...figures } = summarizeTotals(tally.totals, {
    askedUntil: curve === undefined ? undefined : (seconds) => curve.countAt(seconds * 1e9),
    thresholds,
    untold: gap,
  });
  const isUnused = (index: number) => plan.requests[index]?.weight === 0;
  const paths = tally.paths.parts
    ?.map((part, index) => ({ index, part }))
    .toSorted((a, b) => Number(isUnused(a.index)) - Number(isUnused(b.index)))
    .slice(0, mostPathResults)
    .map(({ index, part }) => ({ path: nameAt(names.paths, index), ...partOf(part) }));
  const backends = tally.backends.parts?.map((part, index) => ({
    backend: nameAt(names.backends, index),
    ...partOf(part),
  }));
  return {
    ...figures,
    askedPerSecond: askedPerSecond ?? 0,
    statusCodes: mostFrequent(statusCodes),
    ...(passed === null ? {} : { passed }),
    latencyErrorShare: tally.errorShares.latency,
    serviceTimeErrorShare: tally.errorShares.service,
    slipErrorShare: tally.errorShares.slip,
    ...(paths === undefined ? {} : { paths }),
    ...(backends === undefined ? {} : { backends }),
  };
}

function nameAt(names: readonly string[], index: number): string {
  const name = names[index] ?? "";
  return name.length <= nameMaxLength ? name : `${name.slice(0, nameMaxLength - 1)}…`;
}

function partOf({ account, latency }: PartTotal): Omit<PathResults, "path"> {
  const { bytesSent: _, bytesReceived: __, statusCodes: ___, ...counts } = account;
  if (latency === undefined) return counts;
  return { ...counts, latencyUs: percentiles(latency.histogram), latencyErrorShare: latency.errorShare };
}

function mostFrequent(statusCodes: Record<string, number>): Record<string, number> {
  const byCount = Object.entries(statusCodes).toSorted(([, a], [, b]) => b - a);
  return Object.fromEntries(byCount.slice(0, mostStatusCodes));
}
