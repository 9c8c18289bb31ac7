import { expect, test } from "bun:test";
import fc from "fast-check";
import type { LoadTestStatus } from "../../lib/loadtest/load-test-status.ts";
import { liveFigures, sumsOf } from "../../lib/plan/live.ts";
import type { Observed, Pod } from "../../lib/plan/objects.ts";
import { observedPlan } from "../../lib/plan/observed-plan.ts";
import { statusWriteDelayMs } from "../../lib/plan/status-writes.ts";
import type { WorkerReport } from "../../lib/plan/worker-report.ts";
import { type Account, imbalance } from "../../lib/stats/account.ts";
import { Histogram } from "../../lib/stats/histogram.ts";
import { encodeHistogram } from "../../lib/stats/histogram-codec.ts";
import type { SnapshotLine } from "../../lib/stats/line.ts";
import type { Threshold } from "../../lib/stats/threshold.ts";
import { completed, workerRecording } from "../stats/worker-recordings.ts";
import { loadTest, succeeded, workerPods } from "./finished-pods.ts";

interface Said {
  seconds: number;
  latencies?: number[];
  account?: Partial<Account>;
  strainedSeconds?: number;
}

function snapshot(worker: number, { seconds, latencies = [], account, strainedSeconds = 0 }: Said): SnapshotLine {
  const recording = completed(latencies);
  return {
    kind: "snapshot",
    worker,
    plan: "0123abcd",
    startedAtMs: Date.UTC(2030, 0, 1),
    elapsedSeconds: seconds,
    account: { ...recording.account, ...account },
    latency: encodeHistogram(recording.latency),
    strainedSeconds,
  };
}

/** Running Pods that have said these things, the newest last. */
function saying(said: readonly (readonly Said[])[]): { pods: Observed<Pod>[]; reports: Map<string, WorkerReport> } {
  const state = { running: { startedAt: "2030-01-01T00:00:00Z" } };
  const containerStatuses = [{ name: "worker", ready: true, restartCount: 0, state }];
  const pods = workerPods(loadTest({ workers: said.length })).map((pod) => ({
    ...pod,
    status: { phase: "Running" as const, containerStatuses },
  }));
  const reports = new Map<string, WorkerReport>();
  for (const [worker, lines] of said.entries()) {
    const recent = lines.map((line) => snapshot(worker, line));
    const newest = recent.at(-1);
    if (newest !== undefined) reports.set(`p${worker}`, { plan: "", snapshot: newest, recent });
  }
  return { pods, reports };
}

const live = (seen: ReturnType<typeof saying>, thresholds: readonly Threshold[] = []) =>
  liveFigures(observedPlan(seen.pods[0] as Pod) as never, seen, thresholds);

test("figures while the load runs are the sums of the newest snapshots, and of what ended workers have told", () => {
  const latencies = fc.array(fc.integer({ min: 0, max: 1e10 }), { minLength: 1, maxLength: 20 });
  const workers = fc.array(fc.record({ latencies, hasEnded: fc.boolean() }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(workers, (each) => {
      const seen = saying(each.map((worker) => (worker.hasEnded ? [] : [{ seconds: 1, latencies: worker.latencies }])));
      const pods = seen.pods.map((pod, index) => {
        const { latencies: own, hasEnded } = each[index] as (typeof each)[number];
        return hasEnded ? succeeded(pod, workerRecording(index, [[completed(own)]])) : pod;
      });
      const all = each.flatMap((worker) => worker.latencies);
      const exact = new Histogram();
      for (const ns of all) exact.record(ns);
      const figures = live({ ...seen, pods });
      if (each.every(({ hasEnded }) => hasEnded)) expect(figures?.rateAchieved).toBeUndefined();
      const sums = sumsOf({ ...seen, pods });
      expect(sums?.account).toMatchObject({ scheduled: all.length, completed: all.length });
      expect(imbalance(sums?.account as Account)).toBe(0);
      expect(encodeHistogram(sums?.latency as Histogram)).toBe(encodeHistogram(exact));
    }),
    { numRuns: 50 },
  );
});

test("what is displayed is the throughput of late, and errors and latency since the start", () => {
  const first = { seconds: 1, latencies: Array(100).fill(1e6) };
  const later = { seconds: 6, latencies: Array(1100).fill(1e6) };
  const slower = { seconds: 6, latencies: Array(600).fill(2e6) };
  const failing = { ...slower, account: { scheduled: 602, sent: 602, timedOut: 2 } };
  expect(
    live(
      saying([
        [first, later],
        [first, failing],
      ]),
    )?.display,
  ).toEqual({ rps: "300", errors: "0.12%", p99: "2.01ms" });
  expect(live(saying([[later]]))?.display?.rps).toBe("183");
  expect(live(saying([[]]))).toBeUndefined();
});

const busy = (account: Partial<Account>): Said => ({
  seconds: 6,
  account: { scheduled: 6000, completed: 0, ...account },
});
const start: Said = { seconds: 1, account: { scheduled: 1000, sent: 1000, completed: 1000 } };

test.each<[what: string, said: Said[][], status: string, reason: string]>([
  ["all is sent", [[start, busy({ sent: 6000, completed: 6000 })]], "True", "RateKept"],
  ["the newest few are on their way", [[start, busy({ sent: 5960, completed: 5960, unsent: 40 })]], "True", "RateKept"],
  ["one of few is on its way", [[{ seconds: 1, account: { scheduled: 1, unsent: 1 } }]], "True", "RateKept"],
  [
    "what was lost before does not matter",
    [[start, busy({ sent: 3000, completed: 3000, lost: 3000 })]],
    "True",
    "RateKept",
  ],
  [
    "every connection is taken",
    [[start, busy({ sent: 3064, completed: 3000, inFlight: 64, unsent: 2936 })]],
    "False",
    "TargetSlow",
  ],
  [
    "connections are free",
    [[start, busy({ sent: 3010, completed: 3000, inFlight: 10, unsent: 2990 })]],
    "False",
    "GeneratorSaturated",
  ],
  [
    "every connection is taken, and the worker lacked CPU",
    [[start, { ...busy({ sent: 3064, completed: 3000, inFlight: 64, unsent: 2936 }), strainedSeconds: 4 }]],
    "False",
    "GeneratorSaturated",
  ],
  ["one of two is silent", [[start], []], "Unknown", "NoReports"],
])("the condition RateAchieved, when %s", (_, said, status, reason) => {
  expect(live(saying(said))?.rateAchieved).toMatchObject({ type: "RateAchieved", status, reason });
});

test("when no running worker was heard, nothing is said of the rate, though others have ended", () => {
  const seen = saying([[], []]);
  const [first, ...others] = seen.pods;
  const pods = [succeeded(first as Observed<Pod>, workerRecording(0, [[completed([1e6])]])), ...others];
  expect(sumsOf({ ...seen, pods })?.account.completed).toBe(1);
  expect(live({ ...seen, pods })?.rateAchieved).toBeUndefined();
});

test("a threshold is broken for sure only by enough samples, and by what no later response can mend", () => {
  const p99: Threshold = { name: "p99", value: 1e6 };
  const errorRate: Threshold = { name: "errorRate", value: 0.01 };
  const minRate: Threshold = { name: "minRate", value: 0.9 };
  const slow = (count: number) => saying([[{ seconds: 10, latencies: Array(count).fill(2e6) }]]);
  const brokenBy = (seen: ReturnType<typeof saying>, threshold: Threshold) =>
    live(seen, [threshold])?.broken.map(({ name }) => name);
  expect(brokenBy(slow(999), p99)).toEqual([]);
  expect(brokenBy(slow(1000), p99)).toEqual(["p99"]);
  const failing = (account: Partial<Account>) => saying([[{ seconds: 10, account: { scheduled: 2000, ...account } }]]);
  expect(brokenBy(failing({ completed: 1900, timedOut: 100 }), errorRate)).toEqual(["errorRate"]);
  expect(brokenBy(failing({ completed: 1000, unsent: 1000 }), errorRate)).toEqual([]);
  expect(brokenBy(failing({ completed: 1700, timedOut: 300 }), minRate)).toEqual(["minRate"]);
  expect(brokenBy(failing({ completed: 1700, inFlight: 200, timedOut: 100 }), minRate)).toEqual([]);
  expect(brokenBy(failing({ completed: 500, inFlight: 1500 }), minRate)).toEqual([]);
});

const status = (more: Partial<LoadTestStatus> = {}, words = "As it should be."): LoadTestStatus => ({
  phase: "Running",
  conditions: [
    {
      type: "RateAchieved",
      status: "True",
      reason: "RateKept",
      message: words,
      lastTransitionTime: "2030-01-01T00:00:00Z",
      observedGeneration: 1,
    },
  ],
  ...more,
});
const figures = (rps: string) => ({ display: { rps, errors: "0%", p99: "1ms" } });

test.each<
  [
    what: string,
    before: LoadTestStatus | undefined,
    after: LoadTestStatus,
    writtenAtMs: number | undefined,
    delayMs: number | undefined,
  ]
>([
  ["nothing has changed", status(figures("1")), status(figures("1")), 0, undefined],
  ["figures have changed a second after the last write", status(figures("1")), status(figures("2")), 9_000, 4000],
  ["figures have changed 5 s after the last write", status(figures("1")), status(figures("2")), 5_000, 0],
  [
    "figures have changed, and were written at an instant to come: the clock was set back",
    status(figures("1")),
    status(figures("2")),
    3_610_000,
    0,
  ],
  [
    "figures have changed, and nobody knows when they were written",
    status(figures("1")),
    status(figures("2")),
    undefined,
    0,
  ],
  ["a message has changed", status({}, "1 of 2."), status({}, "2 of 2."), 9_000, 4000],
  ["a condition has changed", status(), { ...status(), conditions: [] }, 9_999, 0],
  ["the phase has changed", status(), status({ phase: "Finished" }), 9_999, 0],
  ["the first status", undefined, status(), 9_999, 0],
])("a status write, when %s", (_, before, after, writtenAtMs, delayMs) => {
  expect(statusWriteDelayMs(before, after, writtenAtMs, 10_000)).toBe(delayMs);
});
