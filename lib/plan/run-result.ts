// The LoadTestResult of a run, as it should be now: what is stored of it, and what its workers have said since. While
// the run goes on, it gets the series, and the parts of workers whose Pods may go before the end; at the end, everything.
import { isDeepStrictEqual } from "node:util";
import { apiVersion } from "../loadtest/api-group.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import {
  type DepartedWorker,
  type LoadTestResult,
  type LoadTestResultData,
  mostDeparted,
  type Point,
} from "../loadtest/load-test-result.ts";
import { Histogram } from "../stats/histogram.ts";
import { decodeHistogram, encodeHistogram } from "../stats/histogram-codec.ts";
import type { SnapshotLine } from "../stats/line.ts";
import type { WorkerResult } from "../stats/worker-result.ts";
import { hasEnded } from "./crew.ts";
import { loadTestLabel, runLabel } from "./names.ts";
import type { Observed, Pod } from "./objects.ts";
import type { Measurement, RunOutcome } from "./results.ts";
import type { Run } from "./run.ts";
import {
  bounded,
  errorCount,
  pointBetween,
  type SpeakingWorker,
  type Totals,
  totalsOf,
  totalsUntil,
} from "./series.ts";
import { departure, toldWorkers } from "./told-worker.ts";
import { resultOf } from "./worker-outcome.ts";
import type { WorkerReport } from "./worker-report.ts";

/** Between two writes while the run goes on. */
export const resultPeriodMs = 30_000;
/** Of more workers, only the newest second is looked at, so that merging them holds nothing up. */
const mostWorkersBySecond = 32;
/** A remainder at the end that is shorter is a part of the last point. */
const leastSeconds = 0.5;

export type StoredResult = LoadTestResultData & { metadata: { name: string; resourceVersion: string } };

export interface RunSeen {
  pods: readonly Observed<Pod>[];
  reports: ReadonlyMap<string, WorkerReport>;
  /** null: there is none yet. */
  stored: StoredResult | null;
  /** When request 0 was due, if that is known. */
  startAtMs?: number | undefined;
  /** Once the run is over. */
  measurement?: Measurement | undefined;
}

/** `my-loadtest-0f3a92bc`. */
export function resultName(loadTest: string, { hash }: Pick<Run, "hash">): string {
  return `${loadTest}-${hash}`;
}

/** What is stored of the run; null: nothing, as an earlier run by the same runID had ended before this one began. */
export function storedOfRun(stored: StoredResult | null, startAtMs: number | undefined): StoredResult | null {
  if (!stored?.complete) return stored;
  const { startedAt, durationSeconds } = stored.results ?? {};
  if (startedAt === undefined || durationSeconds === undefined || startAtMs === undefined) return null;
  return Date.parse(startedAt) + durationSeconds * 1000 < startAtMs ? null : stored;
}

/**
 * Whether the end of the run is stored. One that could not be said, as somebody let the run go on at that moment, is not
 * final: its workers have sent more since.
 */
export function isFinal({ complete, results }: StoredResult, measured: RunOutcome | undefined): boolean {
  return complete && (measured?.results?.sent ?? 0) <= (results?.sent ?? 0);
}

/** What is stored of a run that is over. */
export function storedOutcome({ complete, results, gap }: StoredResult): RunOutcome | undefined {
  return complete ? { results, gap: gap === undefined ? undefined : { reason: gap } } : undefined;
}

/** undefined: there is nothing to say that is not stored. */
export function desiredResult(loadTest: LoadTest, run: Run, all: RunSeen): LoadTestResult | undefined {
  const stored = storedOfRun(all.stored, all.startAtMs);
  const seen = { ...all, stored };
  const { measurement } = seen;
  if (stored !== null && isFinal(stored, measurement)) return undefined;
  const before = totalsUntil(stored?.series ?? [], storedLatency(stored));
  const instants = instantsSince(before, seen);
  const last = measurement?.results === undefined ? [] : [finalTotals(measurement)];
  const { points, until } = extended(stored?.series ?? [], before, [...instants, ...last]);
  const series = bounded(points);
  const departed = departedOf(seen);
  const isNews = until !== before || !isDeepStrictEqual(departed, stored?.departed ?? []);
  if (measurement === undefined && !isNews) return undefined;
  return {
    apiVersion,
    kind: "LoadTestResult",
    metadata: metadataOf(loadTest, run, all.stored),
    run: { uid: loadTest.metadata.uid, hash: run.hash, ...(run.id === "" ? {} : { id: run.id }) },
    complete: measurement !== undefined,
    ...(measurement?.results === undefined ? {} : { results: measurement.results }),
    ...(measurement?.gap === undefined ? {} : { gap: measurement.gap.reason }),
    histograms: measurement === undefined ? liveHistogram(until) : finalHistograms(measurement),
    series,
    ...(measurement !== undefined || departed.length === 0 ? {} : { departed }),
  };
}

/** Those that have ended while others go on, or are about to be deleted, each once, and by its result if it left one. */
function departedOf({ pods, reports, stored }: RunSeen): DepartedWorker[] {
  const departed = new Map((stored?.departed ?? []).map((worker) => [worker.uid, worker]));
  for (const pod of pods.filter(isLeaving)) {
    const { uid } = pod.metadata;
    const worker = departed.has(uid) && resultOf(pod) === undefined ? undefined : departure(pod, reports.get(uid));
    if (worker !== undefined) departed.set(uid, worker);
  }
  return [...departed.values()].slice(0, mostDeparted);
}

/** Whether the Pod may be gone before the end of the run. */
export function isLeaving(pod: Pod): boolean {
  return hasEnded(pod) || pod.metadata.deletionTimestamp !== undefined;
}

function storedLatency(stored: StoredResult | null): Histogram | undefined {
  try {
    return stored?.histograms.latency === undefined ? undefined : decodeHistogram(stored.histograms.latency);
  } catch (error: unknown) {
    if (error instanceof Error) return undefined; // somebody has edited it
    throw error;
  }
}

/** Of all workers at once, at the seconds after those that are known. */
function instantsSince(before: Totals, { pods, reports, stored }: RunSeen): Totals[] {
  const speaking: SpeakingWorker[] = [];
  const silent: Observed<Pod>[] = [];
  for (const pod of pods) {
    const { snapshot, recent = [] } = reports.get(pod.metadata.uid) ?? {};
    if (snapshot !== undefined)
      speaking.push({ snapshots: recent.length === 0 ? [snapshot] : recent, isOver: hasEnded(pod) });
    else if (hasEnded(pod)) silent.push(pod);
    else return []; // one that runs, and says nothing yet
  }
  const startedAtMs = startOf(speaking.flatMap(({ snapshots }) => snapshots));
  const spoken = new Set(pods.filter((pod) => !silent.includes(pod)).map(({ metadata }) => metadata.uid));
  const departed = (stored?.departed ?? []).filter(({ uid }) => !spoken.has(uid));
  const ended = sumOf(toldWorkers(silent, departed, reports).flatMap(({ result }) => result ?? []));
  const mostInstants = speaking.length > mostWorkersBySecond ? 1 : Number.POSITIVE_INFINITY;
  return totalsOf(speaking, ended, startedAtMs, before.atSeconds, mostInstants);
}

function startOf(snapshots: readonly SnapshotLine[]): number {
  return snapshots.reduce((first, { startedAtMs }) => Math.min(first, startedAtMs), Number.POSITIVE_INFINITY);
}

function sumOf(results: readonly WorkerResult[]): Omit<Totals, "atSeconds"> {
  const sum: Omit<Totals, "atSeconds"> = { completed: 0, errors: 0, latency: new Histogram() };
  for (const result of results) addTold(sum, result);
  return sum;
}

function addTold(sum: Omit<Totals, "atSeconds">, { account, latency }: WorkerResult): void {
  sum.completed += account.completed;
  sum.errors += errorCount(account);
  if (latency.slotsPerOctave < 128) sum.latency = undefined;
  else sum.latency?.merge(latency.histogram);
}

function finalTotals({ recording, results }: Measurement): Totals {
  const { account, latency } = recording;
  const isFine = results?.latencyErrorShare === 1 / 128;
  return {
    atSeconds: results?.durationSeconds ?? 0,
    completed: account.completed,
    errors: errorCount(account),
    latency: isFine ? latency : undefined,
  };
}

/** The series with a point up to each instant, and the last one that has one. */
function extended(
  series: readonly Point[],
  before: Totals,
  instants: readonly Totals[],
): { points: Point[]; until: Totals } {
  const points = [...series];
  let until = before;
  for (const to of instants) {
    const point = pointBetween(until, to);
    const last = points.at(-1);
    if (point === undefined) continue;
    if (point.seconds >= leastSeconds || last === undefined) points.push(point);
    else points.splice(-1, 1, withRemainder(last, point));
    until = to;
  }
  return { points, until };
}

function withRemainder(last: Point, { completed, errors }: Point): Point {
  return { ...last, completed: last.completed + completed, errors: last.errors + errors };
}

function liveHistogram({ latency }: Totals): LoadTestResultData["histograms"] {
  return latency === undefined ? {} : { latency: encodeHistogram(latency) };
}

function finalHistograms({ recording }: Measurement): LoadTestResultData["histograms"] {
  const { latency, service, slip } = recording;
  return { latency: encodeHistogram(latency), service: encodeHistogram(service), slip: encodeHistogram(slip) };
}

function metadataOf({ metadata }: LoadTest, run: Run, stored: StoredResult | null): LoadTestResult["metadata"] {
  const { name, namespace, uid } = metadata;
  return {
    name: resultName(name, run),
    namespace,
    labels: { [loadTestLabel]: name, [runLabel]: run.hash },
    ownerReferences: [{ apiVersion, kind: "LoadTest", name, uid, controller: true }],
    ...(stored === null ? {} : { resourceVersion: stored.metadata.resourceVersion }),
  };
}
