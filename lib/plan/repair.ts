// When a failed worker is replaced: some times, not at once, and not when most have failed, which is nobody's accident.
import { hasFailed, latestBySeat, type Worker } from "./crew.ts";

/** So many Pods a seat may have had. */
const mostAttempts = 5;
/** From the creation of a Pod that failed to that of its replacement; doubled each time. */
const coolDownMs = 5000;

export type Repair = { isDue: true } | { isDue: false; dueAtMs?: number; reason: string };

/** Whether the failed worker may be replaced now. */
export function repairOf(failed: Worker, workers: readonly Worker[], seats: number, nowMs: number): Repair {
  const { pod, attempt } = failed;
  if (attempt + 1 >= mostAttempts) {
    return {
      isDue: false,
      reason: `worker ${failed.seat} has failed ${mostAttempts} times, and is not replaced again`,
    };
  }
  const latest = [...latestBySeat(workers).values()].filter(({ seat }) => seat < seats);
  const failures = latest.filter(hasFailed).length;
  if (seats > 2 && failures > seats / 2) {
    return { isDue: false, reason: `${failures} of ${seats} workers have failed: none is replaced while most have` };
  }
  const dueAtMs = Date.parse(pod.metadata.creationTimestamp) + coolDownMs * 2 ** attempt;
  return dueAtMs <= nowMs
    ? { isDue: true }
    : { isDue: false, dueAtMs, reason: "a failed worker is about to be replaced" };
}
