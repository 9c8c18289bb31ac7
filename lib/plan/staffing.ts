// A crew → the crew that is wanted, so that the shares held never sum to more than the whole:
//
//   fewer seats   those without one are ended; only when they have does the share of the others grow
//   more seats    once new workers run, the others' shares shrink; only when they have said so do the new ones begin
//   other script  told to all; who cannot follow it, or has another Pod, is ended, and replaced once that is done
import { isDeepStrictEqual } from "node:util";
import type { WorkerPlan } from "../load/worker-plan.ts";
import { latestBySeat, readySinceMs, toldStartMs, type Worker } from "./crew.ts";
import { fitsPod } from "./pod-settings.ts";
import { canFollow, type Script } from "./script.ts";
import { setPlan } from "./telling.ts";
import { workerStatus } from "./worker-status.ts";
import type { Action } from "./world.ts";

/** From telling several workers, all of them ready, to their common start: the kubelet shows a plan within half a second. */
const barrierMs = 1300;
/** From telling a worker to its start in mid-schedule. */
const joinMs = 1000;

export interface Staffing {
  workers: readonly Worker[];
  seats: number;
  /** What it says of Pods; undefined: none may be made, and nobody is ended for having another. */
  spec: Parameters<typeof fitsPod>[1] | undefined;
  script: Script;
  generation: number;
  /** When the load began or begins; undefined: not decided yet. */
  startAtMs: number | undefined;
  nowMs: number;
}

/**
 * Ends workers: those that have begun by their plan, so that they leave their results, others with their Pod. One that is
 * about to be started again would end no sooner than that.
 */
export function dismissals(workers: readonly Worker[], reason: string, nowMs: number): Action[] {
  return workers.flatMap((worker): Action[] => {
    const { pod, plan, hasEnded, isGoing } = worker;
    if (hasEnded || isGoing) return [];
    const { namespace = "", name, uid } = pod.metadata;
    const isStarting = pod.status?.phase !== "Running" || workerStatus(pod)?.state?.waiting !== undefined;
    if (plan === undefined || isStarting || isWaiting(worker)) {
      return [{ kind: "deletePod", namespace, name, uid, reason }];
    }
    return plan.stop ? [] : [setPlan(pod, { ...plan, stop: true }, nowMs)];
  });
}

/** Who has no seat, or cannot follow the script. */
export function superfluous({ workers, seats, spec, script }: Staffing): Worker[] {
  const latest = latestBySeat(workers.filter(({ hasEnded }) => !hasEnded));
  return workers.filter((worker) => {
    const { pod, hasEnded, plan, seat } = worker;
    if (hasEnded) return false;
    return (
      plan === undefined ||
      plan.stop ||
      seat >= seats ||
      latest.get(seat) !== worker ||
      !canFollow(plan, script) ||
      (spec !== undefined && !fitsPod(pod, spec))
    );
  });
}

/** Whether something depends on what workers say next: that they are ready, which share they hold, or when one began. */
export function awaitsReports(workers: readonly Worker[]): boolean {
  const present = workers.filter(({ hasEnded }) => !hasEnded);
  const mayBegin = toldStartMs(workers) !== undefined || present.every(({ isRunning }) => isRunning);
  return present.some(
    (worker) => worker.isRunning && (isWaiting(worker) ? mayBegin : worker.plan?.startAtMs === undefined),
  );
}

/** Tells those who stay what is new to them: the script, their share, the start. */
export function instructions(staffing: Staffing): Action[] {
  const { workers, seats, script, generation, nowMs } = staffing;
  const dismissed = new Set(superfluous(staffing));
  const staying = workers.filter((worker) => !worker.hasEnded && !worker.isGoing && !dismissed.has(worker));
  const manned = new Set(staying.filter(({ isRunning }) => isRunning).map(({ seat }) => seat));
  const areManned = (from: number) => Array.from({ length: seats - from }).every((_, at) => manned.has(from + at));
  const mayGrow = !workers.some(({ hasEnded, seat }) => !hasEnded && seat >= seats);
  return staying.flatMap((worker): Action[] => {
    const observed = worker.plan as WorkerPlan;
    const { index, count } = observed.worker;
    const share = { index, count: count < seats ? (areManned(count) ? seats : count) : mayGrow ? seats : count };
    const plan = {
      generation: observed.generation,
      worker: share,
      ...script,
      barrier: observed.barrier,
      ...(observed.preflight === undefined ? {} : { preflight: observed.preflight }),
      ...startOf(worker, { ...observed, worker: share }, staying, staffing),
    };
    if (isDeepStrictEqual(plan, observed)) return [];
    return [setPlan(worker.pod, { ...plan, generation }, nowMs)];
  });
}

type Start = Pick<WorkerPlan, "startAtMs" | "joinNs">;

/**
 * The start that it was told, or may be told now: all together at first, later whoever's share is free. Of those that wait
 * whoever is to hold the greater share goes first.
 */
function startOf(
  worker: Worker,
  { startAtMs: toldAtMs, joinNs, worker: { count } }: WorkerPlan,
  staying: readonly Worker[],
  staffing: Staffing,
): Start {
  if (toldAtMs !== undefined) return { startAtMs: toldAtMs, ...(joinNs === undefined ? {} : { joinNs }) };
  const { workers, seats, startAtMs, nowMs } = staffing;
  const present = workers.filter(({ hasEnded }) => !hasEnded);
  if (startAtMs === undefined) {
    // Who begins by itself will say when it did: another start would move what its plan says of instants after it.
    const areReady =
      present.length === seats &&
      staying.length === seats &&
      staying.every((one) => isWaiting(one) && isReady(one, nowMs));
    return areReady ? { startAtMs: nowMs + barrierMs } : {};
  }
  const joinMsAfterStart = nowMs + joinMs - startAtMs;
  const joining = { startAtMs, ...(joinMsAfterStart <= 0 ? {} : { joinNs: joinMsAfterStart * 1e6 }) };
  if (!isWaiting(worker)) return isLatecomer(worker, startAtMs) ? joining : { startAtMs };
  const leavesRoom = (other: Worker) =>
    isWaiting(other) ? (other.plan?.worker.count ?? 0) >= count : isSettled(other, count);
  const hasRoom = worker.isRunning && present.every((other) => other === worker || leavesRoom(other));
  return hasRoom ? joining : {};
}

/** Whoever made its Pod did not know that the load had begun: what was due before is not its own. */
function isLatecomer({ pod, begunAtMs }: Worker, startAtMs: number): boolean {
  return begunAtMs === undefined && Date.parse(pod.metadata.creationTimestamp) > startAtMs;
}

/** It holds no share yet: it waits to be told its start. */
export function isWaiting({ plan, hasEnded }: Worker): boolean {
  return !hasEnded && plan?.barrier === true && plan.startAtMs === undefined;
}

/**
 * It has reached its target: one that runs may be about to fail, again and again, and a start told to it would pass by.
 * It is not waited for for ever, should its log be out of reach.
 */
function isReady(worker: Worker, nowMs: number): boolean {
  return worker.isRunning && (worker.hasAcknowledged || readySinceMs(worker, nowMs) !== undefined);
}

/** It is known to hold one of so many shares, and no more. */
function isSettled({ plan, hasAcknowledged, isGoing }: Worker, count: number): boolean {
  return hasAcknowledged && !isGoing && plan?.worker.count === count && !plan.stop;
}
