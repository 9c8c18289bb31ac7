// Workers that have ended → the results of their LoadTest, by the same summary as `loadtest run`.
import { rateCurve, scheduleOf } from "../load/planned-schedule.ts";
import type { WorkerPlan } from "../load/worker-plan.ts";
import type { LoadTestResults, PathResults } from "../loadtest/load-test-results.ts";
import { percentiles, summarizeTotals } from "../stats/summary.ts";
import type { Threshold } from "../stats/threshold.ts";
import { requestName } from "./compile.ts";
import { hasEnded } from "./crew.ts";
import type { Pod } from "./objects.ts";
import { observedPlan } from "./observed-plan.ts";
import { type PartTotal, Tally } from "./tally.ts";
import { workerOutcome } from "./worker-outcome.ts";

const nameMaxLength = 256;
const mostStatusCodes = 100;
const mostNamedWorkers = 10;

/** Workers of which not everything is known, in words. */
export interface Gap {
  reason: string;
  /** Requests that they were due to send. */
  lost: number;
}

export interface Measurement {
  /** undefined: no worker left a result. */
  results: LoadTestResults | undefined;
  gap: Gap | undefined;
}

/** What the workers of one run measured; undefined unless `pods` are all of its Pods, and all have ended. */
export function measurementOf(pods: readonly Pod[], thresholds: readonly Threshold[]): Measurement | undefined {
  const planned = pods.map((pod) => ({ pod, plan: observedPlan(pod) })).filter(isPlanned);
  const ordered = planned.toSorted((a, b) => a.plan.worker.index - b.plan.worker.index);
  const isItsOwn = ({ pod, plan: { worker } }: PlannedPod, index: number) =>
    hasEnded(pod) && worker.index === index && worker.count === pods.length;
  const plan = ordered[0]?.plan;
  if (plan === undefined || ordered.length < pods.length || !ordered.every(isItsOwn)) return undefined;
  const names = {
    backends: plan.backends.map(({ name }) => name),
    paths: plan.requests.map(requestName),
  };
  const tally = new Tally(names.backends.length, names.paths.length);
  const accounts = ordered.map((worker): ToldBy => {
    const { results, hasLast } = workerOutcome(worker.pod, worker.plan);
    for (const result of results) tally.take(result);
    const scheduled = results.reduce((sum, { account }) => sum + account.scheduled, 0);
    return { plan: worker.plan, scheduled, untilSeconds: hasLast ? results.at(-1)?.scheduledSeconds : undefined };
  });
  const gap = gapOf(accounts);
  const hasResults = tally.totals.generators.length > 0;
  return { results: hasResults ? resultsOf(tally, plan, names, thresholds, gap) : undefined, gap };
}

interface PlannedPod {
  pod: Pod;
  plan: WorkerPlan;
}

function isPlanned(worker: { pod: Pod; plan: WorkerPlan | undefined }): worker is PlannedPod {
  return worker.plan !== undefined;
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
  const paths = tally.paths.parts?.map((part, index) => ({ path: nameAt(names.paths, index), ...partOf(part) }));
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

/** What a worker has told: requests that were due, and until when; undefined: its last epoch told nothing. */
interface ToldBy {
  plan: WorkerPlan;
  scheduled: number;
  untilSeconds: number | undefined;
}

/** What workers were due to send and do not account for; undefined when all have told everything. */
function gapOf(workers: readonly ToldBy[]): Gap | undefined {
  const endSeconds = (rateCurve((workers[0] as ToldBy).plan)?.endNs ?? Number.POSITIVE_INFINITY) / 1e9;
  const isBounded = endSeconds < Number.POSITIVE_INFINITY;
  const lastSeconds = isBounded ? endSeconds : Math.max(0, ...workers.map(({ untilSeconds = 0 }) => untilSeconds));
  const missing = ({ plan, scheduled }: ToldBy) =>
    Math.max(0, dueUntil(plan, Math.round(lastSeconds * 1e9)) - scheduled);
  const silent = workers.filter(({ untilSeconds }) => untilSeconds === undefined);
  // The clock of a worker that was due nothing more may stop short of the end.
  const early = workers.filter((worker) => {
    const { untilSeconds = endSeconds } = worker;
    return isBounded && untilSeconds < endSeconds && missing(worker) > 0;
  });
  if (silent.length + early.length === 0) return undefined;
  const lost = [...silent, ...early].reduce((sum, worker) => sum + missing(worker), 0);
  const findings = [
    ...(silent.length === 0 ? [] : [`${workerNames(silent)} left no result`]),
    ...(early.length === 0 ? [] : [`${workerNames(early)} ended early`]),
  ];
  return { lost, reason: `${findings.join(", ")}: nothing is known of ${lost} requests that were due` };
}

/** How many requests of the plan are due until then; of Poisson arrivals, in the mean. */
function dueUntil(plan: WorkerPlan, untilNs: number): number {
  if (plan.arrivals === "Poisson") return Math.round((rateCurve(plan)?.countAt(untilNs) ?? 0) / plan.worker.count);
  return plan.backends.reduce(
    (sum, { percent }, index) => sum + (percent === 0 ? 0 : scheduleOf(plan, index).dueCount(untilNs)),
    0,
  );
}

/** `worker 3`, `workers 1, 2, 5`, `workers 0, 1, … and 490 more`. */
function workerNames(workers: readonly ToldBy[]): string {
  const indexes = workers.map(({ plan }) => plan.worker.index);
  const more = indexes.length - mostNamedWorkers;
  const names = indexes.slice(0, mostNamedWorkers).join(", ");
  return `worker${indexes.length === 1 ? "" : "s"} ${names}${more > 0 ? ` and ${more} more` : ""}`;
}
