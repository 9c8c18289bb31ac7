// Seats that need a worker, and why.
import { scheduleEndNs } from "../load/planned-schedule.ts";
import type { WorkerPlan } from "../load/worker-plan.ts";
import { hasFailed, hasFinished, latestBySeat, type Worker } from "./crew.ts";
import { isReplaceable, replaceableAtMs } from "./repair.ts";
import type { Staffing } from "./staffing.ts";

/** A schedule that goes on for longer has been changed since a worker ended by it; clocks are less far apart. */
const goesOnMs = 5000;

/** Nobody has had the seat; its worker failed, or went with its Pod; it was ended for another one to follow. */
export type Cause = "first" | "failed" | "gone" | "changed";

/** A seat that needs a worker, with the plan for it. */
export interface Vacancy {
  plan: WorkerPlan;
  attempt: number;
  cause: Cause;
}

/**
 * Seats that nobody has, and whose last worker has neither finished nor failed for good. Who had finished before it heard
 * that the schedule goes on has not.
 */
export function vacancies({ workers, seats, script, generation, startAtMs, nowMs }: Staffing): Vacancy[] {
  const leftMs = startAtMs === undefined ? 0 : startAtMs + scheduleEndNs(script) / 1e6 - nowMs;
  const begun = workers.filter(({ plan }) => plan?.startAtMs !== undefined || plan?.barrier === false);
  const manned = begun.length === 0 ? seats : Math.max(...begun.map(({ plan }) => plan?.worker.count ?? 0));
  return openSeats(workers, seats).flatMap(({ seat, last }) => {
    if (last !== undefined && hasFinished(last) && leftMs <= goesOnMs) return [];
    if (last !== undefined && hasFailed(last) && nowMs < replaceableAtMs(last, workers)) return [];
    const wasManned = startAtMs !== undefined && seat < manned;
    const cause = last === undefined ? (wasManned ? "gone" : "first") : causeOf(last);
    const attempt = last === undefined ? 0 : last.attempt + 1;
    const barrier = seats > 1 || startAtMs !== undefined || last !== undefined; // the one before may have begun
    const isScout = seat === 0 && startAtMs === undefined;
    const worker = { index: seat, count: seats };
    const plan = { generation, worker, ...script, barrier, ...(isScout ? { preflight: true as const } : {}) };
    return [{ plan, attempt, cause }];
  });
}

/**
 * Seats that nobody has, with who had them last, unless that one has failed for good. A Pod that is about to go decides
 * which name the next one has, so that it has to be gone: two controllers, of which one still sees it, would make two.
 */
export function openSeats(workers: readonly Worker[], seats: number): { seat: number; last: Worker | undefined }[] {
  const latest = latestBySeat(workers);
  const taken = new Set(workers.filter(({ hasEnded, isGoing }) => !hasEnded || isGoing).map(({ seat }) => seat));
  return Array.from({ length: seats }, (_, seat) => ({ seat, last: latest.get(seat) })).filter(
    ({ seat, last }) =>
      !taken.has(seat) && (last === undefined || !hasFailed(last) || isReplaceable(last, workers, seats)),
  );
}

/** Why the place of a worker that has ended is to be taken: told to stop it ends well, and with its Pod it does not. */
function causeOf(last: Worker): Cause {
  if (hasFailed(last)) return "failed";
  return last.pod.status?.phase === "Failed" ? "gone" : "changed";
}
