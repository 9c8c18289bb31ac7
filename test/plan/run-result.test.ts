import { expect, test } from "bun:test";
import Ajv from "ajv";
import fc from "fast-check";
import { LoadTestResultData, mostPoints, type Point } from "../../lib/loadtest/load-test-result.ts";
import { openApiSchema } from "../../lib/manifest/custom-resource.ts";
import type { ContainerState, Observed, Pod } from "../../lib/plan/objects.ts";
import { plan } from "../../lib/plan/plan.ts";
import { measurementOf } from "../../lib/plan/results.ts";
import { presentRun } from "../../lib/plan/run.ts";
import { desiredResult, type RunSeen, type StoredResult } from "../../lib/plan/run-result.ts";
import { bounded } from "../../lib/plan/series.ts";
import { parseWorkerReport, type WorkerReport } from "../../lib/plan/worker-report.ts";
import { Histogram } from "../../lib/stats/histogram.ts";
import { decodeHistogram, encodeHistogram } from "../../lib/stats/histogram-codec.ts";
import { formatLine } from "../../lib/stats/line.ts";
import { completed, workerRecording } from "../stats/worker-recordings.ts";
import { Cluster, options } from "./cluster.ts";
import { ended, loadTest, succeeded, workerPods } from "./finished-pods.ts";

const startedAtMs = Date.UTC(2030, 0, 1);

/** What a worker has said that completes these requests each second. */
function logOf(worker: number, latenciesBySecond: readonly (readonly number[])[]): string {
  const lines = latenciesBySecond.map((_, index) => {
    const { account, latency } = completed(latenciesBySecond.slice(0, index + 1).flat());
    const elapsedSeconds = index + 1 + 0.003 * worker;
    return formatLine({
      kind: "snapshot",
      plan: "0123abcd",
      worker,
      startedAtMs,
      elapsedSeconds,
      account,
      latency: encodeHistogram(latency),
    });
  });
  return lines.join("");
}

const tail = (log: string, lines: number) => `${log.trim().split("\n").slice(-lines).join("\n")}\n`;
const running = (pod: Observed<Pod>): Observed<Pod> => {
  const state: ContainerState = { running: { startedAt: "2030-01-01T00:00:00Z" } };
  return {
    ...pod,
    status: { phase: "Running", containerStatuses: [{ name: "worker", ready: true, restartCount: 0, state }] },
  };
};
const reported = (logs: readonly string[]) =>
  new Map(
    logs.flatMap((log, worker): [string, WorkerReport][] => {
      const report = parseWorkerReport(log);
      return report === undefined ? [] : [[`p${worker}`, report]];
    }),
  );
const written = (test: ReturnType<typeof loadTest>, seen: RunSeen): StoredResult | null => {
  const result = desiredResult(test, presentRun(test), seen);
  return result === undefined
    ? seen.stored
    : ({ ...result, metadata: { ...result.metadata, resourceVersion: "1" } } as StoredResult);
};

test("the series has a point for each second of all workers together, however often it was read and written", () => {
  const second = fc.array(fc.integer({ min: 1e5, max: 1e9 }), { maxLength: 5 });
  const runs = fc.integer({ min: 1, max: 3 }).chain((workers) =>
    fc.record({
      seconds: fc.array(fc.array(second, { minLength: workers, maxLength: workers }), { minLength: 1, maxLength: 12 }),
      reads: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }),
    }),
  );
  fc.assert(
    fc.property(runs, ({ seconds, reads }) => {
      const count = (seconds[0] as number[][]).length;
      const test = loadTest({ workers: count });
      const pods = workerPods(test).map(running);
      const logs = pods.map((_, worker) => seconds.map((all) => all[worker] as number[]));
      let stored: StoredResult | null = null;
      let known = 0;
      for (const until of [...reads.toSorted((a, b) => a - b), seconds.length]) {
        const upTo = Math.min(until, seconds.length);
        // A tail as long as the time since the last one.
        const reports = reported(logs.map((log, worker) => tail(logOf(worker, log.slice(0, upTo)), upTo - known + 1)));
        stored = written(test, { pods, reports, stored });
        known = upTo;
      }
      const all = seconds.flat(2);
      expect(stored?.series.map(({ atSeconds, seconds, completed }) => ({ atSeconds, seconds, completed }))).toEqual(
        seconds.map((each, index) => ({ atSeconds: index + 1, seconds: 1, completed: each.flat().length })),
      );
      for (const [index, each] of seconds.entries()) {
        const exact = new Histogram();
        for (const ns of each.flat()) exact.record(ns);
        const us = exact.quantileNs(0.99) / 1e3;
        const { p99Us = 0 } = (stored as StoredResult).series[index] as Point;
        expect(Math.abs(p99Us - us)).toBeLessThanOrEqual(us / 128 + 0.1);
      }
      expect(decodeHistogram(stored?.histograms.latency ?? "").total).toBe(all.length);
    }),
    { numRuns: 60 },
  );
});

test("seconds that were not read make a longer point, and nothing is missing from it", () => {
  const test = loadTest();
  const pods = workerPods(test).map(running);
  const log = logOf(0, Array(10).fill([1e6, 2e6]));
  const stored = written(test, { pods, reports: reported([tail(logOf(0, [[1e6, 2e6]]), 1)]), stored: null });
  const later = written(test, { pods, reports: reported([tail(log, 2)]), stored });
  expect(later?.series.map(({ atSeconds, seconds, completed }) => [atSeconds, seconds, completed])).toEqual([
    [1, 1, 2],
    [9, 8, 16],
    [10, 1, 2],
  ]);
});

test("a result is written for every new point or departed worker, and not for the same again", () => {
  const test = loadTest({ workers: 2 });
  const pods = workerPods(test).map(running);
  const reports = reported([logOf(0, [[1e6]]), logOf(1, [[1e6]])]);
  const stored = written(test, { pods, reports, stored: null });
  expect(desiredResult(test, presentRun(test), { pods, reports, stored })).toBeUndefined();
  expect(desiredResult(test, presentRun(test), { pods, reports: new Map(), stored })).toBeUndefined();
  const [first, second] = pods as [Observed<Pod>, Observed<Pod>];
  const gone = succeeded(second, workerRecording(1, [[completed([1e6])]]));
  const kept = written(test, { pods: [first, gone], reports, stored });
  expect(kept?.departed?.map(({ uid, worker }) => ({ uid, worker }))).toEqual([{ uid: "p1", worker: 1 }]);
  expect(desiredResult(test, presentRun(test), { pods: [first, gone], reports, stored: kept })).toBeUndefined();

  const going = { ...second, metadata: { ...second.metadata, deletionTimestamp: "2030-01-01T00:00:01Z" } };
  const heard = written(test, { pods: [first, going], reports, stored });
  expect(heard?.departed?.[0]?.message).toStartWith('{"kind":"snapshot"');
  expect(desiredResult(test, presentRun(test), { pods: [first, going], reports, stored: heard })).toBeUndefined();
  const told = written(test, { pods: [first, { ...gone, metadata: going.metadata }], reports, stored: heard });
  expect(told?.departed?.map(({ message }) => message.slice(0, 16))).toEqual(['{"kind":"result"']);
});

test("at the end the termination messages alone make it complete: every sample, and all counts in the series", () => {
  const test = loadTest({ workers: 2 });
  const recordings = [0, 1].map((worker) => workerRecording(worker, [[completed(Array(1000).fill(2e6))]]));
  const pods = workerPods(test).map((pod, i) => succeeded(pod, recordings[i] as never));
  const measurement = measurementOf(pods, []);
  const before: StoredResult | null = written(test, {
    pods: workerPods(test).map(running),
    reports: reported([logOf(0, [Array(500).fill(2e6)]), logOf(1, [Array(500).fill(2e6)])]),
    stored: null,
  });
  for (const [stored, points] of [
    [null, 1],
    [before, 2],
  ] as const) {
    const result = desiredResult(test, presentRun(test), { pods, reports: new Map(), stored, measurement });
    expect(result).toMatchObject({ complete: true, results: { scheduled: 2000, completed: 2000 } });
    expect(result?.series.length).toBe(points);
    expect(result?.series.reduce((sum, { completed }) => sum + completed, 0)).toBe(2000);
    for (const name of ["latency", "service", "slip"] as const) {
      expect(decodeHistogram(result?.histograms[name] ?? "").total).toBe(2000);
    }
    const done = { ...result, metadata: { name: "x", resourceVersion: "2" } } as StoredResult;
    expect(
      desiredResult(test, presentRun(test), {
        pods,
        reports: new Map(),
        stored: done,
        startAtMs: startedAtMs,
        measurement,
      }),
    ).toBeUndefined();
  }
});

test("an end that was stored and could not be said gives way to that of workers that have gone on since", () => {
  const cluster = new Cluster(loadTest({ workers: 1, duration: "60s", arrivals: "Poisson" }));
  let stored: StoredResult | null = null;
  const look = (isSaid = true) => {
    const world = { ...cluster.world(), results: new Map([["u1", stored]]) };
    const actions = plan(world, options, cluster.nowMs);
    cluster.apply(actions.filter(({ kind }) => isSaid || kind !== "patchStatus"));
    const [result] = actions.flatMap((action) => (action.kind === "writeResult" ? [action.result] : []));
    if (result !== undefined) stored = { ...result, metadata: { name: "x", resourceVersion: "1" } };
    cluster.nowMs += 1000;
  };
  const end = (requests: number) => {
    const [pod] = cluster.live as [Observed<Pod>];
    Object.assign(pod, succeeded(pod, workerRecording(0, [[completed(Array(requests).fill(1e6))]])));
  };
  cluster.converge();
  cluster.edit({ state: "Stopped" });
  look();
  end(72);
  look(false);
  expect(stored).toMatchObject({ complete: true, results: { completed: 72 } });
  cluster.edit({ state: "Running" });
  for (let pass = 0; pass < 3; pass++) {
    look();
    cluster.settle();
  }
  cluster.edit({ state: "Stopped" });
  look();
  end(320);
  look();
  expect(stored).toMatchObject({ complete: true, results: { completed: 392 } });
  expect(cluster.test.status?.results?.completed).toBe(392);
});

test("the result of an earlier run by the same runID gives way to that of this one", () => {
  const test = loadTest();
  const pods = workerPods(test).map((pod) => succeeded(pod, workerRecording(0, [[completed(Array(2000).fill(1e6))]])));
  const measurement = measurementOf(pods, []);
  const seen = { pods, reports: new Map(), measurement };
  const stored = written(test, { ...seen, stored: null, startAtMs: startedAtMs });
  const endedAtMs = Date.parse(stored?.results?.startedAt ?? "") + 1000 * (stored?.results?.durationSeconds ?? 0);
  expect(desiredResult(test, presentRun(test), { ...seen, stored, startAtMs: endedAtMs })).toBeUndefined();
  const next = desiredResult(test, presentRun(test), { ...seen, stored, startAtMs: endedAtMs + 1 });
  expect(next).toMatchObject({ metadata: { resourceVersion: "1" }, complete: true, results: { completed: 2000 } });
  expect(next?.series.reduce((sum, point) => sum + point.completed, 0)).toBe(2000);
});

test("a worker that left no result is named in it", () => {
  const test = loadTest({ workers: 1 });
  const pods = workerPods(test).map((pod) => ended(pod, "Failed"));
  const result = desiredResult(test, presentRun(test), {
    pods,
    reports: new Map(),
    stored: null,
    measurement: measurementOf(pods, []),
  });
  expect(result).toMatchObject({ complete: true, gap: expect.stringContaining("worker 0 left no result") as never });
});

test("a series that is full joins its oldest points by pairs, and loses no count and no time", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 * mostPoints }), (length) => {
      const points = Array.from({ length }, (_, i) => ({
        atSeconds: i + 1,
        seconds: 1,
        completed: i,
        errors: 1,
        p99Us: i,
      }));
      const kept = bounded(points);
      expect(kept.length).toBeLessThanOrEqual(mostPoints);
      expect(kept.length).toBeGreaterThan(Math.min(length, mostPoints / 2) - 1);
      const sum = (name: "seconds" | "completed" | "errors", of: Point[]) =>
        of.reduce((total, point) => total + point[name], 0);
      for (const name of ["seconds", "completed", "errors"] as const) expect(sum(name, kept)).toBe(sum(name, points));
      expect(kept.at(-1)).toEqual(points.at(-1) as Point);
      expect(kept.every(({ atSeconds, seconds }, i) => atSeconds - seconds === (kept[i - 1]?.atSeconds ?? 0))).toBe(
        true,
      );
      if (length > mostPoints) expect(kept[0]?.seconds).toBeGreaterThan(1);
    }),
    { numRuns: 20 },
  );
});

test("the API server would store it as it is, and the fullest takes less than 1 MiB", () => {
  const test = loadTest({ workers: 1 });
  const pods = workerPods(test).map((pod) => succeeded(pod, workerRecording(0, [[completed(Array(2000).fill(1e6))]])));
  const result = desiredResult(test, presentRun(test), {
    pods,
    reports: new Map(),
    stored: null,
    measurement: measurementOf(pods, []),
  });
  const ajv = new Ajv({ allErrors: true, formats: { "date-time": true } });
  for (const word of ["x-kubernetes-list-type", "x-kubernetes-list-map-keys"]) ajv.addVocabulary([word]);
  const fits = ajv.compile(openApiSchema(LoadTestResultData));
  fits(result);
  expect(fits.errors).toBeNull();
  const point = {
    atSeconds: 123456,
    seconds: 64,
    completed: 64_000_000,
    errors: 64_000_000,
    p50Us: 12345.6,
    p99Us: 1234567.8,
  };
  const departed = { uid: "0".repeat(36), worker: 499, joinNs: 1e15, message: JSON.stringify("x".repeat(4090)) };
  const full = { ...result, series: Array(mostPoints).fill(point), departed: Array(128).fill(departed) };
  expect(JSON.stringify(full).length).toBeLessThan(1024 * 1024);
});
