// What a worker left behind. A worker that was restarted in place goes on with what it knew, so its last termination
// message tells of all that it ever did. Without one, the newest report is the last that is known: what was under way
// then has a fate that nobody knows.
import type { Account } from "../stats/account.ts";
import { emptyCounters } from "../stats/generator.ts";
import { Histogram } from "../stats/histogram.ts";
import { decodeHistogram } from "../stats/histogram-codec.ts";
import { parseTerminationMessage, type WorkerResult } from "../stats/worker-result.ts";
import type { Pod } from "./objects.ts";
import type { WorkerReport } from "./worker-report.ts";
import { workerStatus } from "./worker-status.ts";

/** Of the last time that the Pod's worker ran; empty as long as it runs, or when it left none. */
export function terminationMessage(pod: Pod): string {
  return workerStatus(pod)?.state?.terminated?.message ?? "";
}

/** The result in the Pod's termination message; undefined when there is none. */
export function resultOf(pod: Pod): WorkerResult | undefined {
  return parseTerminationMessage(terminationMessage(pod));
}

/** What is known by the last report of a worker that has left no result. */
export function lastKnown(report: WorkerReport | undefined): WorkerResult | undefined {
  if (report?.snapshot === undefined) return undefined;
  const { worker, startedAtMs, elapsedSeconds, account, latency } = report.snapshot;
  const unknown = whole(new Histogram());
  return {
    worker,
    startedAtMs,
    endedAtMs: startedAtMs + elapsedSeconds * 1000,
    scheduledSeconds: elapsedSeconds,
    completedInTime: account.completed,
    account: settled(account),
    counters: emptyCounters(),
    latency: whole(decodeHistogram(latency)),
    service: unknown,
    slip: unknown,
    generatorSlip: unknown,
    connectionWait: unknown,
    backends: undefined,
    paths: undefined,
  };
}

function whole(histogram: Histogram): WorkerResult["latency"] {
  return { histogram, slotsPerOctave: 128 };
}

/** Only what has an outcome: requests that waited may have been sent later, those in flight may have ended in any way. */
function settled(account: Account): Account {
  const { scheduled, sent, inFlight, unsent } = account;
  const open = inFlight + unsent;
  return { ...account, scheduled: scheduled - open, sent: Math.max(0, sent - inFlight), inFlight: 0, unsent: 0 };
}
