// Whose logs to read now, and how much of them: so seldom that the API server serves as many reads per second for a
// load of hundreds of workers as for one of 32.
import { hasEnded } from "./crew.ts";
import type { Observed, Pod } from "./objects.ts";
import { observedPlan } from "./observed-plan.ts";
import { resultOf } from "./worker-outcome.ts";
import { workerStatus } from "./worker-status.ts";

const periodMs = 5000;
/** So many workers are read once a period; more, in proportion, less often. */
const workersPerPeriod = 32;
/** A worker says something once a second: these tell what it did within a period. */
const fewestLines = 6;
const mostLines = 64;
/** What a worker says at its end stands behind its snapshots: four lines for each backend and request, and three. */
const mostResultLines = 256;

export interface LogRead {
  pod: Observed<Pod>;
  tailLines: number;
}

/** Between two readings of the logs of so many workers. */
export function reportPeriodMs(workers: number): number {
  return periodMs * Math.max(1, workers / workersPerPeriod);
}

/**
 * What to read of a run's Pods.
 *
 * @param readAtMs When they were last read; undefined: never, or something new is to be heard of at once. An instant to
 * come is none: the clock was set back.
 * @param sinceMs From when on every second is wanted; undefined: only the newest is.
 */
export function reportsWanted(
  pods: readonly Observed<Pod>[],
  nowMs: number,
  readAtMs: number | undefined,
  sinceMs?: number,
): LogRead[] {
  const speaking = pods.filter(
    (pod) => isSpeaking(pod) || (hasEnded(pod) && (sinceMs !== undefined || resultOf(pod) === undefined)),
  );
  const isKnown = readAtMs !== undefined && readAtMs <= nowMs;
  const isDue = !isKnown || nowMs >= readAtMs + reportPeriodMs(speaking.length);
  if (!isDue && !pods.every(hasEnded)) return [];
  const seconds = sinceMs === undefined ? 0 : Math.max(0, Math.ceil((nowMs - sinceMs) / 1000));
  const snapshots = Math.min(mostLines, fewestLines + seconds);
  return speaking.map((pod) => ({ pod, tailLines: snapshots + (hasEnded(pod) ? resultLineCount(pod) : 0) }));
}

/** Whether its worker runs, and so says once a second what it does; even one that is about to be deleted does. */
export function isSpeaking(pod: Pod): boolean {
  return workerStatus(pod)?.state?.running !== undefined;
}

function resultLineCount(pod: Pod): number {
  const { backends = [], requests = [] } = observedPlan(pod) ?? {};
  return Math.min(mostResultLines, 4 * backends.length * requests.length + 3);
}
