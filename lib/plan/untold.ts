// What was due in a run and is told of by no worker. The requests of a schedule are shared by all who worked for it, one
// after the other or at the same time, so what is missing is missing from the sum, whoever should have told of it.
import { rateCurve, scheduleOf } from "../load/planned-schedule.ts";
import type { WorkerPlan } from "../load/worker-plan.ts";
import type { SharePlan, ToldWorker } from "./told-worker.ts";

const mostNamedWorkers = 10;

/** Workers of which not everything is known, in words. */
export interface Gap {
  reason: string;
  /** Requests that they were due to send. */
  lost: number;
}

export interface Untold {
  gap: Gap | undefined;
  /** Due, but of nobody's share: between the end of a worker and the beginning of the one that replaced it. */
  unclaimed: number;
}

/** @param plan The newest: its rates are those of the whole run. @param isStopped Whether the run was to end early. */
export function untoldBy(workers: readonly ToldWorker[], plan: SharePlan, isStopped: boolean): Untold {
  const endNs = rateCurve(plan)?.endNs ?? Number.POSITIVE_INFINITY;
  const isCounted = endNs < Number.POSITIVE_INFINITY && !isStopped && plan.arrivals === "Constant";
  const lastNs = endNs < Number.POSITIVE_INFINITY && !isStopped ? endNs : lastTold(workers);
  const silent = workers.filter(({ isWhole }) => !isWhole);
  const absent = indexesOf(plan).filter((index) => !workers.some(({ worker }) => worker === index));
  const told = workers.reduce((sum, { result }) => sum + (result?.account.scheduled ?? 0), 0);
  const missing = isCounted ? Math.max(0, dueInAll(plan, lastNs) - told) : undefined;
  const early =
    lastNs !== endNs || missing === 0 ? [] : workers.filter((one) => hasEndedEarly(one, workers, plan, lastNs));
  const findings = [
    ...(silent.length === 0 ? [] : [`${workerNames(silent)} left no result`]),
    ...(absent.length === 0 ? [] : [`${workerNames(absent.map((worker) => ({ worker })))} left no Pod`]),
    ...(early.length === 0 ? [] : [`${workerNames(early)} ended early`]),
  ];
  if (findings.length === 0) return { gap: undefined, unclaimed: missing ?? 0 };
  const lost =
    missing ??
    [...silent, ...early].reduce((sum, one) => sum + shortfall(one, workers, plan, lastNs), 0) +
      absent.reduce((sum, index) => sum + dueOfShare(plan, index, 0, lastNs), 0);
  return {
    gap: { lost, reason: `${findings.join(", ")}: nothing is known of ${lost} requests that were due` },
    unclaimed: 0,
  };
}

function indexesOf({ worker }: WorkerPlan): number[] {
  return Array.from({ length: worker.count }, (_, index) => index);
}

function lastTold(workers: readonly ToldWorker[]): number {
  return Math.round(1e9 * Math.max(0, ...workers.map(({ result }) => result?.scheduledSeconds ?? 0)));
}

/** Whether it ended before the schedule did, owing requests that no other worker took over. */
function hasEndedEarly(one: ToldWorker, all: readonly ToldWorker[], plan: WorkerPlan, endNs: number): boolean {
  const untilNs = Math.round((one.result?.scheduledSeconds ?? 0) * 1e9);
  const isLast = successors(one, all).length === 0;
  return one.isWhole && isLast && untilNs < endNs && shortfall(one, all, plan, endNs) > 0;
}

/** What was due of its share while it was its own, and it has not told of. */
function shortfall(one: ToldWorker, all: readonly ToldWorker[], plan: WorkerPlan, lastNs: number): number {
  const untilNs = Math.min(lastNs, ...successors(one, all).map(({ joinNs }) => joinNs));
  const told = one.result?.account.scheduled ?? 0;
  return Math.max(0, dueOfShare(plan, one.worker, one.joinNs, untilNs) - told);
}

function successors({ worker, joinNs }: ToldWorker, all: readonly ToldWorker[]): ToldWorker[] {
  return all.filter((other) => other.worker === worker && other.joinNs > joinNs);
}

function dueOfShare(plan: WorkerPlan, index: number, fromNs: number, untilNs: number): number {
  if (index >= plan.worker.count) return 0; // the load goes on without it
  const share = { ...plan, worker: { index, count: plan.worker.count } };
  return dueUntil(share, untilNs) - (fromNs === 0 ? 0 : dueUntil(share, fromNs));
}

function dueInAll(plan: WorkerPlan, untilNs: number): number {
  return dueUntil({ ...plan, worker: { index: 0, count: 1 } }, untilNs);
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
function workerNames(workers: readonly Pick<ToldWorker, "worker">[]): string {
  const indexes = [...new Set(workers.map(({ worker }) => worker))].toSorted((a, b) => a - b);
  const more = indexes.length - mostNamedWorkers;
  const names = indexes.slice(0, mostNamedWorkers).join(", ");
  return `worker${indexes.length === 1 ? "" : "s"} ${names}${more > 0 ? ` and ${more} more` : ""}`;
}
