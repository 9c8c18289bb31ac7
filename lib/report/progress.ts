// The state of a running load, second by second, from the snapshots of its workers, and what was asked of it.
import { Histogram } from "../stats/histogram.ts";
import type { SnapshotLine } from "../stats/line.ts";
import { emptySpan, histogramBetween, mergeSpans, type Span, spanOf } from "./span.ts";

/** Of what is kept of the past, a value each second. */
const historySeconds = 60;
/** A worker that has said nothing for so long is not waited for. */
const patienceSeconds = 1.5;

export interface AskedLoad {
  /** Infinity: until it is stopped. */
  totalSeconds: number;
  /** Requests due within the first seconds; undefined in a closed loop, or where it is not known. */
  dueUntil: ((seconds: number) => number) | undefined;
}

export interface ProgressState {
  soFar: Span;
  /** `soFar` as it was about a second earlier, and the latency of the time between. */
  before: Span;
  lastLatency: Histogram;
  completedPerSecond: readonly number[];
  p99Us: readonly number[];
  workers: readonly WorkerState[];
}

export interface WorkerState {
  worker: number;
  soFar: Span;
  before: Span;
}

/** The mean rate that is asked between two instants; undefined where none is, or when the load was over by then. */
export function askedPerSecond(
  { totalSeconds, dueUntil }: AskedLoad,
  fromSeconds: number,
  toSeconds: number,
): number | undefined {
  const endSeconds = Math.min(toSeconds, totalSeconds);
  if (dueUntil === undefined || endSeconds <= fromSeconds) return undefined;
  return (dueUntil(endSeconds) - dueUntil(fromSeconds)) / (endSeconds - fromSeconds);
}

export class Progress {
  readonly #workers: number;
  #state: ProgressState = {
    soFar: emptySpan(),
    before: emptySpan(),
    lastLatency: new Histogram(),
    completedPerSecond: [],
    p99Us: [],
    workers: [],
  };

  /** Of a load with this number of workers. */
  constructor(workers: number) {
    this.#workers = workers;
  }

  /** The state that follows, once the newest snapshot of each worker makes one; undefined until then. */
  take(snapshots: readonly SnapshotLine[]): ProgressState | undefined {
    const seconds = snapshots.map(({ elapsedSeconds }) => elapsedSeconds);
    const shownSeconds = this.#state.soFar.seconds;
    const areAllNew = Math.min(...seconds) > shownSeconds;
    const isOneLate = Math.max(...seconds) > shownSeconds + patienceSeconds;
    if (snapshots.length < this.#workers || !(areAllNew || isOneLate)) return undefined;
    this.#state = next(this.#state, snapshots);
    return this.#state;
  }
}

function next(state: ProgressState, snapshots: readonly SnapshotLine[]): ProgressState {
  const workers = snapshots
    .toSorted((a, b) => a.worker - b.worker)
    .map((snapshot, index) => ({
      worker: snapshot.worker,
      soFar: spanOf(snapshot),
      before: state.workers[index]?.soFar ?? emptySpan(),
    }));
  const before = state.soFar;
  const soFar = mergeSpans(workers.map((worker) => worker.soFar));
  const lastLatency = histogramBetween(before.latency, soFar.latency);
  const completed = soFar.account.completed - before.account.completed;
  const pastOf = (values: readonly number[], value: number) => [...values, value].slice(-historySeconds);
  return {
    soFar,
    before,
    lastLatency,
    completedPerSecond: pastOf(state.completedPerSecond, completed / (soFar.seconds - before.seconds)),
    p99Us: pastOf(state.p99Us, lastLatency.quantileNs(0.99) / 1e3),
    workers,
  };
}
