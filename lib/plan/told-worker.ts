// The workers of a run, and what each has told: by its Pod, or by what was kept of a Pod that may be gone by now. A Pod
// counts by its uid, and so once.
import type { WorkerPlan } from "../load/worker-plan.ts";
import type { DepartedWorker } from "../loadtest/load-test-result.ts";
import { parseTerminationMessage, type WorkerResult } from "../stats/worker-result.ts";
import type { Observed, Pod } from "./objects.ts";
import { observedPlan } from "./observed-plan.ts";
import { lastKnown, terminationMessage } from "./worker-outcome.ts";
import { parseWorkerReport, type WorkerReport } from "./worker-report.ts";

/** A plan whose worker may have taken its share over from another one, or may have been stopped. */
export type SharePlan = WorkerPlan & { joinNs?: number; stop?: true };

export interface ToldWorker {
  uid: string;
  worker: number;
  joinNs: number;
  /** All that is known of what it did. */
  result: WorkerResult | undefined;
  /** Whether it said that at its end: it is not merely the last that was heard of it. */
  isWhole: boolean;
}

/** Those of the Pods, then those that have no Pod any more. */
export function toldWorkers(
  pods: readonly Pod[],
  departed: readonly DepartedWorker[],
  reports: ReadonlyMap<string, WorkerReport>,
): ToldWorker[] {
  const kept = departed.map(ofDeparted);
  const present = pods.flatMap((pod) => {
    const plan: SharePlan | undefined = observedPlan(pod);
    const uid = pod.metadata.uid ?? "";
    if (plan === undefined) return [];
    const told = toldBy(terminationMessage(pod), reports.get(uid));
    const before = kept.find((one) => one.uid === uid);
    const better = told.isWhole || before === undefined || isFurther(told, before) ? told : before;
    return [{ ...better, uid, worker: plan.worker.index, joinNs: plan.joinNs ?? 0 }];
  });
  const uids = new Set(present.map(({ uid }) => uid));
  return [...present, ...kept.filter(({ uid }) => !uids.has(uid))];
}

/** What to keep of a worker that has ended, or is about to; undefined when it has said nothing. */
export function departure(pod: Observed<Pod>, report: WorkerReport | undefined): DepartedWorker | undefined {
  const plan: SharePlan | undefined = observedPlan(pod);
  const last = terminationMessage(pod);
  const snapshot = report?.snapshot === undefined ? undefined : JSON.stringify(report.snapshot);
  const message = parseTerminationMessage(last) === undefined ? snapshot : last;
  if (plan === undefined || message === undefined) return undefined;
  return { uid: pod.metadata.uid, worker: plan.worker.index, joinNs: plan.joinNs ?? 0, message };
}

function ofDeparted({ uid, worker, joinNs, message }: DepartedWorker): ToldWorker {
  return { uid, worker, joinNs, ...toldBy(message, parseWorkerReport(message)) };
}

type Told = Pick<ToldWorker, "result" | "isWhole">;

function toldBy(message: string, report: WorkerReport | undefined): Told {
  const result = parseTerminationMessage(message);
  return result === undefined ? { result: lastKnown(report), isWhole: false } : { result, isWhole: true };
}

function isFurther(one: Told, other: Told): boolean {
  return !other.isWhole && (one.result?.scheduledSeconds ?? -1) >= (other.result?.scheduledSeconds ?? -1);
}
