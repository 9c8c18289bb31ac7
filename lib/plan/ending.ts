// When a run ends, other than by its schedule, and when it has ended.
import { scheduleEndNs } from "../load/planned-schedule.ts";
import type { EffectiveSpec } from "../loadtest/defaults.ts";
import type { Condition } from "../loadtest/load-test-status.ts";
import type { ThresholdResult } from "../stats/threshold.ts";
import { hasFailed, hasFinished, latestBySeat, type Worker } from "./crew.ts";
import type { Run } from "./run.ts";
import type { Script } from "./script.ts";
import { brokenInWords } from "./verdict.ts";

/** Why it has ended, or is to: a reason for programs, and words for people. */
export interface Ending {
  reason: "Stopped" | "Aborted" | "StartDeadlineExceeded" | "NotAccepted" | "WorkersFinished" | "WorkersFailed";
  message: string;
}

/** Says on the object that the run cannot pass any more; what was said once is not taken back. */
export const abortingReason = "Aborting";

/**
 * Why a run has to end now; undefined: it has not to.
 *
 * @param broken Thresholds that are broken by what has happened so far.
 */
export function endingOf(
  { state, abortOnFailure, startDeadlineNs }: EffectiveSpec,
  { status }: Run,
  mayHaveBegun: boolean,
  broken: readonly ThresholdResult[],
  nowMs: number,
): Ending | undefined {
  if (state === "Stopped") return { reason: "Stopped", message: "The run was stopped." };
  const complete = completeIn(status.conditions);
  if (complete?.reason === abortingReason) return { reason: "Aborted", message: complete.message };
  if (abortOnFailure && broken.length > 0) return { reason: "Aborted", message: brokenInWords(broken) };
  if (mayHaveBegun || startDeadlineNs === undefined || complete === undefined) return undefined;
  const deadlineMs = Date.parse(complete.lastTransitionTime) + startDeadlineNs / 1e6;
  if (nowMs < deadlineMs) return undefined;
  return { reason: "StartDeadlineExceeded", message: "The load has not begun by spec.startDeadline." };
}

/** Since when a run has been under way, and whether it has ended. */
export function completeIn(conditions: readonly Condition[] = []): Condition | undefined {
  return conditions.find(({ type }) => type === "Complete");
}

/** How a run has ended; undefined: it has not. Without seats it is not accepted, and may be again. A failed worker is waited for, as it may be replaced, while requests are due. */
export function completionOf(
  workers: readonly Worker[],
  seats: number,
  ending: Ending | undefined,
  isOver: boolean,
): Ending | undefined {
  if (workers.some(({ hasEnded }) => !hasEnded)) return undefined;
  if (ending !== undefined) return ending;
  const latest = [...latestBySeat(workers).values()];
  const finished = latest.filter((one) => one.seat < seats && hasFinished(one)).length;
  if (seats === 0 ? isOver && latest.length > 0 && latest.every(hasFinished) : finished === seats)
    return { reason: "WorkersFinished", message: "Every worker has ended its schedule." };
  if (!isOver) return undefined;
  if (seats === 0) return { reason: "NotAccepted", message: "Its schedule is over, and it was not accepted." };
  const failed = workers.filter(hasFailed).length;
  if (failed > 0) return { reason: "WorkersFailed", message: `${failed} of ${workers.length} workers have failed.` };
  return { reason: "WorkersFailed", message: `${seats - finished} of ${seats} workers are gone.` };
}

/** Whether nothing is due any more. */
export function isOver(script: Script, startAtMs: number | undefined, nowMs: number): boolean {
  return startAtMs !== undefined && nowMs >= startAtMs + scheduleEndNs(script) / 1e6;
}
