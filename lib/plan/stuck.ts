// A worker that runs and says nothing new, though its log can be read: it hangs. One at a time is replaced, and none when
// most are silent, which is rather their logs' fault than theirs.
import type { Worker } from "./crew.ts";

/** It says something once a second. */
const patienceMs = 60_000;

/** The worker to replace now. */
export function stuckWorker(workers: readonly Worker[], seats: number, nowMs: number): Worker | undefined {
  const present = workers.filter(({ hasEnded }) => !hasEnded);
  if (present.length !== seats || present.some(({ isGoing, plan }) => isGoing || plan?.stop)) return undefined;
  const silent = present.filter(
    ({ isRunning, saidAtMs }) => isRunning && saidAtMs !== undefined && nowMs - saidAtMs >= patienceMs,
  );
  return seats > 2 && silent.length > seats / 2 ? undefined : silent[0];
}
