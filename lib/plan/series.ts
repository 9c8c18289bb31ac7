// A run over time: points between the instants at which something is known of all its workers.
//
//   worker 0   ·····s·····s·····s·····s─ end, its last word holds on
//   worker 1   ·····s·····s···········s·····s       s: a snapshot, cumulative
//   points          ├─────┤───────────┤─────┤       a second each, as far as all have one
//
// Snapshots are cumulative, so that what is not read makes points longer, and loses nothing.
import { mostPoints, type Point } from "../loadtest/load-test-result.ts";
import { type Account, failedCount } from "../stats/account.ts";
import { Histogram, highestOf, slotCount } from "../stats/histogram.ts";
import { decodeHistogram } from "../stats/histogram-codec.ts";
import type { SnapshotLine } from "../stats/line.ts";

/** All that has happened until some instant. */
export interface Totals {
  atSeconds: number;
  completed: number;
  errors: number;
  /** undefined: not known, or not finely enough. */
  latency: Histogram | undefined;
}

export interface SpeakingWorker {
  /** What was read of its log, the oldest first. */
  snapshots: readonly SnapshotLine[];
  isOver: boolean;
}

export function errorCount(account: Account): number {
  return failedCount(account) + account.timedOut;
}

/** The sum of the points so far, with the latencies until then. */
export function totalsUntil(series: readonly Point[], latency: Histogram | undefined): Totals {
  const totals = { atSeconds: series.at(-1)?.atSeconds ?? 0, completed: 0, errors: 0 };
  for (const { completed, errors } of series) {
    totals.completed += completed;
    totals.errors += errors;
  }
  return { ...totals, latency: series.length === 0 ? new Histogram() : latency };
}

/**
 * What is known of all workers together at each second after `afterSeconds`.
 *
 * @param ended What workers have done of which no log was read: it is all over.
 * @param mostInstants The newest so many.
 */
export function totalsOf(
  workers: readonly SpeakingWorker[],
  ended: Omit<Totals, "atSeconds">,
  startedAtMs: number,
  afterSeconds: number,
  mostInstants: number,
): Totals[] {
  const bySecond = workers.map(({ snapshots, isOver }) => ({
    isOver,
    at: new Map(snapshots.map((snapshot) => [secondOf(snapshot, startedAtMs), snapshot])),
    last: snapshots.at(-1),
  }));
  const known = (worker: (typeof bySecond)[number], second: number): SnapshotLine | undefined => {
    const isBeyond = worker.last !== undefined && second > secondOf(worker.last, startedAtMs);
    return worker.at.get(second) ?? (worker.isOver && isBeyond ? worker.last : undefined);
  };
  const seconds = [...new Set(bySecond.flatMap(({ at }) => [...at.keys()]))].filter((second) => second > afterSeconds);
  const common = seconds.filter((second) => bySecond.every((worker) => known(worker, second) !== undefined));
  return common
    .toSorted((a, b) => a - b)
    .slice(-mostInstants)
    .map((second) =>
      sumAt(
        second,
        bySecond.map((worker) => known(worker, second) as SnapshotLine),
        ended,
      ),
    );
}

/** Snapshots are taken once a second, a little late. */
function secondOf(snapshot: SnapshotLine, startedAtMs: number): number {
  return Math.round((snapshot.startedAtMs - startedAtMs) / 1000 + snapshot.elapsedSeconds);
}

function sumAt(atSeconds: number, snapshots: readonly SnapshotLine[], ended: Omit<Totals, "atSeconds">): Totals {
  const { completed, errors, latency } = ended;
  const merged = latency === undefined ? undefined : new Histogram();
  if (latency !== undefined) merged?.merge(latency);
  const sum: Totals = { atSeconds, completed, errors, latency: merged };
  for (const { account, latency: text } of snapshots) {
    sum.completed += account.completed;
    sum.errors += errorCount(account);
    sum.latency?.merge(decodeHistogram(text));
  }
  return sum;
}

/** The point between two instants; undefined when less is known at the later one: a worker is gone without a word. */
export function pointBetween(from: Totals, to: Totals): Point | undefined {
  const completed = to.completed - from.completed;
  const errors = to.errors - from.errors;
  if (completed < 0 || errors < 0) return undefined;
  const latency = from.latency && to.latency && difference(from.latency, to.latency);
  const us = (quantile: number) => Math.round((latency?.quantileNs(quantile) ?? 0) / 100) / 10;
  return {
    atSeconds: to.atSeconds,
    seconds: to.atSeconds - from.atSeconds,
    completed,
    errors,
    ...(latency === undefined || latency.total === 0 ? {} : { p50Us: us(0.5), p99Us: us(0.99) }),
  };
}

/** The samples of `to` that `from` lacks; undefined when it is not a part of it. */
function difference(from: Histogram, to: Histogram): Histogram | undefined {
  const between = new Histogram();
  for (let slot = 0; slot < slotCount; slot++) {
    const count = (to.counts[slot] as number) - (from.counts[slot] as number);
    if (count < 0) return undefined;
    between.counts[slot] = count;
    if (count > 0) between.maxNs = Math.min(highestOf(slot), to.maxNs);
    between.total += count;
  }
  return between;
}

/** So many points as may be kept: as long as there are more, the older half is joined by pairs. */
export function bounded(series: readonly Point[]): Point[] {
  let points = [...series];
  while (points.length > mostPoints) {
    const old = points.slice(0, 2 * Math.ceil(points.length / 4));
    const joined = old.flatMap((point, index) => (index % 2 === 0 ? [joinPoints(point, old[index + 1] as Point)] : []));
    points = [...joined, ...points.slice(old.length)];
  }
  return points;
}

function joinPoints(one: Point, next: Point): Point {
  const higher = (name: "p50Us" | "p99Us") => {
    const values = [one[name], next[name]].filter((value) => value !== undefined);
    return values.length === 0 ? {} : { [name]: Math.max(...values) };
  };
  return {
    atSeconds: next.atSeconds,
    seconds: one.seconds + next.seconds,
    completed: one.completed + next.completed,
    errors: one.errors + next.errors,
    ...higher("p50Us"),
    ...higher("p99Us"),
  };
}
