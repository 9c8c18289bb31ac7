// What is recorded about a stream of requests: the account and three histograms. Mergeable, never summarized.
import { type Account, emptyAccount, sumAccounts } from "./account.ts";
import type { GeneratorReport } from "./generator.ts";
import { Histogram } from "./histogram.ts";

/** latency = last byte - intended instant = slip + service; service = last byte - send; slip = send - intended. */
export const metrics = ["latency", "service", "slip"] as const;
export type Metric = (typeof metrics)[number];

export interface Recording {
  account: Account;
  latency: Histogram;
  service: Histogram;
  slip: Histogram;
}

export function emptyRecording(): Recording {
  return { account: emptyAccount(), latency: new Histogram(), service: new Histogram(), slip: new Histogram() };
}

/** Adds all that `from` holds. */
export function addRecording(into: Recording, from: Recording): void {
  into.account = sumAccounts([into.account, from.account]);
  for (const metric of metrics) into[metric].merge(from[metric]);
}

/** One recording of all requests of `recordings`. */
export function mergeRecordings(recordings: readonly Recording[]): Recording {
  const merged = emptyRecording();
  merged.account = sumAccounts(recordings.map(({ account }) => account));
  for (const recording of recordings) {
    for (const metric of metrics) merged[metric].merge(recording[metric]);
  }
  return merged;
}

/** What one worker recorded in one run. */
export interface WorkerRecording {
  worker: number;
  startedAtMs: number;
  endedAtMs: number;
  /** For how long requests were due: until the end of the schedule, or the stop. */
  scheduledSeconds: number;
  /** Requests completed within that time; the others that completed did so while the end was waited for. */
  completedInTime: number;
  backends: BackendRecording[];
  generator: GeneratorReport;
}

export interface BackendRecording {
  name: string;
  /** By request, in the order of the plan. */
  paths: Recording[];
}

/** All recordings of a worker, whatever the backend. */
export function allRecordings({ backends }: Pick<WorkerRecording, "backends">): Recording[] {
  return backends.flatMap(({ paths }) => paths);
}
