// The workers of a run: who has which seat. A seat is the index of a share of the requests, k ≡ seat (mod seats); it
// stays taken until its worker has ended or its Pod, once it is being deleted, is gone, so that no share is sent twice.
import { planHash, type WorkerPlan } from "../load/worker-plan.ts";
import { attemptLabel, planAnnotation, workerLabel } from "./names.ts";
import type { ContainerStatus, Observed, Pod } from "./objects.ts";
import { observedPlan } from "./observed-plan.ts";
import { resultOf } from "./worker-outcome.ts";
import type { WorkerReport } from "./worker-report.ts";
import { workerContainer, workerStatus } from "./worker-status.ts";

/** From the start of a worker to its word that it is ready, in timeouts, of which the preflight takes one itself. */
const readyPatience = 3;
/** And at least: a log is read a while after it was written. */
const leastPatienceMs = 10_000;

export interface Worker {
  pod: Observed<Pod>;
  /** undefined: what the Pod carries is no plan, or not that of its seat; somebody has edited it. */
  plan: WorkerPlan | undefined;
  seat: number;
  attempt: number;
  /** Its process runs now. */
  isRunning: boolean;
  /** It will never send again. */
  hasEnded: boolean;
  /** Its Pod is being deleted; until that is done it may send. */
  isGoing: boolean;
  /** Its log was read in this pass, and told something. */
  wasHeard: boolean;
  /** It has said that it follows the plan that its Pod carries. */
  hasAcknowledged: boolean;
  /** When its load began, as it has said itself. */
  begunAtMs: number | undefined;
  /** When it said what it said last, by its own clock; undefined: it has not begun. */
  spokeAtMs: number | undefined;
  /** When what it said last was new to the controller. */
  saidAtMs: number | undefined;
  /** What came of its requests before the load, as it has said. */
  preflight: WorkerReport["preflight"];
}

export function workerOf(pod: Observed<Pod>, reports: ReadonlyMap<string, WorkerReport> = new Map()): Worker {
  const { labels = {}, annotations = {}, deletionTimestamp, uid } = pod.metadata;
  const report = reports.get(uid);
  const seat = Number(labels[workerLabel]);
  const plan = observedPlan(pod);
  return {
    pod,
    plan: plan?.worker.index === seat ? plan : undefined,
    seat,
    attempt: Number(labels[attemptLabel] ?? 0),
    isRunning: isRunning(pod),
    hasEnded: hasEnded(pod),
    isGoing: deletionTimestamp !== undefined,
    wasHeard: report !== undefined,
    hasAcknowledged: report?.plan === planHash(annotations[planAnnotation] ?? ""),
    begunAtMs: report?.snapshot?.startedAtMs,
    spokeAtMs: report?.snapshot && report.snapshot.startedAtMs + report.snapshot.elapsedSeconds * 1000,
    saidAtMs: report?.saidAtMs,
    preflight: report?.preflight,
  };
}

/** Whether the worker's process runs now. */
export function isRunning(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && workerStatus(pod)?.state?.running !== undefined;
}

/** A worker that has ended well is not started again, though its Pod is told a little later. */
export function hasEnded(pod: Pod): boolean {
  return pod.status?.phase === "Failed" || hasSucceeded(pod);
}

/** Whether containers that others have put into the Pod go on without the worker: it would stay for ever. */
export function isOutlived(pod: Pod): boolean {
  const { phase, containerStatuses = [] } = pod.status ?? {};
  const isOther = ({ name, state }: ContainerStatus) => name !== workerContainer && state?.running !== undefined;
  return phase === "Running" && hasEnded(pod) && containerStatuses.some(isOther);
}

function hasSucceeded(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || workerStatus(pod)?.state?.terminated?.exitCode === 0;
}

/** Whether it goes on by what it is told: not one that was told to end, or whose plan somebody has spoilt. */
export function isFollowing({ hasEnded, plan }: Worker): boolean {
  return !hasEnded && plan !== undefined && !plan.stop;
}

/** Who has, or last had, each seat. */
export function latestBySeat(workers: readonly Worker[]): Map<number, Worker> {
  return new Map(workers.toSorted((a, b) => a.attempt - b.attempt).map((worker) => [worker.seat, worker]));
}

/** Whether it ended because its schedule did: one that a signal ends before that says so by its exit code. */
export function hasFinished({ pod, plan }: Worker): boolean {
  return hasSucceeded(pod) && plan?.stop === undefined;
}

/** Of the kubelet: the Pod has lived as long as it may, or its node was shut down. */
const reasonsOfOthers = ["DeadlineExceeded", "Terminated"];

/** Whether it ended by a fault that may be its own, and be its successor's too. */
export function hasFailed({ pod, isGoing }: Worker): boolean {
  const { phase, reason = "" } = pod.status ?? {};
  return phase === "Failed" && !hasSucceeded(pod) && !isGoing && !reasonsOfOthers.includes(reason);
}

/** When the load began or will begin, as workers were told; a Pod made later begins in mid-schedule. */
export function toldStartMs(workers: readonly Worker[]): number | undefined {
  return workers.map(({ plan }) => plan?.startAtMs).find((startAtMs) => startAtMs !== undefined);
}

/**
 * A worker without barrier begins by itself, and says when it did, in its log or its result. Of one whose log is out of
 * reach for long it is known about: the plan's instants are on this clock, whichever it is.
 */
export function ownStartMs(workers: readonly Worker[], nowMs: number): number | undefined {
  const own = workers.filter(({ plan }) => plan?.barrier === false);
  return (
    own.map(({ begunAtMs, pod }) => begunAtMs ?? resultOf(pod)?.startedAtMs).find((instant) => instant !== undefined) ??
    own.map((one) => (one.wasHeard ? undefined : readySinceMs(one, nowMs))).find((instant) => instant !== undefined)
  );
}

/** Whether a worker may send by itself that has not been heard. */
export function mayHaveBegun(workers: readonly Worker[]): boolean {
  return workers.some(({ plan, isRunning, wasHeard }) => plan?.barrier === false && isRunning && !wasHeard);
}

/**
 * When its process started; undefined: not so long ago that it must be ready, whether it has been heard or not, or not for
 * the first time, as it may fail again.
 */
export function readySinceMs({ isRunning, plan, pod }: Worker, nowMs: number): number | undefined {
  const { state, restartCount = 0 } = workerStatus(pod) ?? {};
  const startedAt = state?.running?.startedAt;
  if (!isRunning || plan === undefined || startedAt === undefined || restartCount > 0) return undefined;
  const startedAtMs = Date.parse(startedAt);
  const patienceMs = Math.max(leastPatienceMs, readyPatience * (plan.timeoutNs / 1e6));
  return nowMs >= startedAtMs + patienceMs ? startedAtMs : undefined;
}
