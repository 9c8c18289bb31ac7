// When a failed worker is replaced: some times, not at once, and not when most have failed, which is nobody's accident.
import { hasFailed, latestBySeat, type Worker } from "./crew.ts";

/** So many workers of a seat may fail. */
const mostFailures = 5;
/** From the creation of a Pod that failed to that of its replacement; doubled each time. */
const coolDownMs = 5000;

/** Whether the failed worker may be replaced, now or later. */
export function isReplaceable({ seat }: Worker, workers: readonly Worker[], seats: number): boolean {
  if (failuresOf(seat, workers) >= mostFailures) return false;
  const latest = [...latestBySeat(workers).values()].filter((worker) => worker.seat < seats);
  const failures = latest.filter(hasFailed).length;
  return seats <= 2 || failures <= seats / 2;
}

/** From when on it may. */
export function replaceableAtMs({ pod, seat }: Worker, workers: readonly Worker[]): number {
  return Date.parse(pod.metadata.creationTimestamp) + coolDownMs * 2 ** (failuresOf(seat, workers) - 1);
}

function failuresOf(seat: number, workers: readonly Worker[]): number {
  return workers.filter((worker) => worker.seat === seat && hasFailed(worker)).length;
}
