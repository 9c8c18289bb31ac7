// A load whose only worker is gone, Pod and all, goes on as its status remembers it.
import { expect, test } from "bun:test";
import { rateCurve, scheduleEndNs } from "../../lib/load/planned-schedule.ts";
import { mostChanges } from "../../lib/load/worker-plan.ts";
import type { LoadTestSpec } from "../../lib/loadtest/load-test.ts";
import { plan } from "../../lib/plan/plan.ts";
import { laterOf, type Recorded, recordOf, timelineSince } from "../../lib/plan/timeline.ts";
import { formatTerminationMessage } from "../../lib/stats/termination-message.ts";
import { completed, workerRecording } from "../stats/worker-recordings.ts";
import { Cluster, loadTest, nowMs, options, planOf } from "./cluster.ts";

/** A load of one worker that has begun. */
class LonelyCluster extends Cluster {
  constructor(spec: Partial<LoadTestSpec>) {
    super(loadTest({ workers: 1, ...spec }));
    this.converge();
  }

  /** So long after the start. */
  at(minutes: number): this {
    this.nowMs = nowMs + minutes * 60_000;
    return this;
  }

  change(spec: Partial<LoadTestSpec>): void {
    this.edit(spec);
    this.converge();
  }

  loseAll(): void {
    this.pods = [];
    this.followed.clear();
    this.converge();
  }

  get plan0() {
    return planOf(this.live[0] as never);
  }
}

const minutes = (ns: number) => Math.round(ns / 6e9) / 10;

test("a run that was paused ends as much later", () => {
  const cluster = new LonelyCluster({ duration: "10m" });
  cluster.at(2).change({ state: "Paused" });
  cluster.at(12).change({ state: "Running" });
  cluster.at(13).loseAll();
  expect(cluster.test.status?.phase).toBe("Running");
  expect(minutes(scheduleEndNs(cluster.plan0))).toBe(20);
});

test("a run that lost its worker while it was paused has no more load than it was to have", () => {
  const cluster = new LonelyCluster({ duration: "10m" });
  cluster.at(5).change({ state: "Paused" });
  cluster.at(6).loseAll();
  cluster.at(7).change({ state: "Running" });
  expect(minutes(scheduleEndNs(cluster.plan0))).toBe(12);
});

test("what was due by former rates stays so, also where the rate changes while nobody is there", () => {
  for (const isThere of [true, false]) {
    const cluster = new LonelyCluster({ duration: "2h", requestsPerSecond: 10 });
    cluster.at(60);
    if (!isThere) cluster.pods = [];
    cluster.change({ requestsPerSecond: 9000 });
    cluster.at(61).loseAll();
    const due = rateCurve(cluster.plan0)?.countAt(3660e9) as number;
    expect(Math.abs(due - (36_000 + 540_000))).toBeLessThan(3 * 9000);
    expect(cluster.plan0.startAtMs).toBe(nowMs);
  }
});

test("what an ended worker was told is older than what the status knows", () => {
  const cluster = new LonelyCluster({ duration: "10m" });
  cluster.at(1).change({ podTemplate: { labels: { team: "web" } } }); // replaces the worker, whose Pod stays
  cluster.at(2).change({ state: "Paused" });
  cluster.at(12).change({ state: "Running" });
  cluster.at(13);
  const due = () => rateCurve(cluster.plan0)?.countAt(780e9);
  const before = due();
  cluster.pods = cluster.pods.filter(({ status }) => status?.phase === "Succeeded");
  expect(cluster.pods.length).toBe(1);
  cluster.converge();
  expect(minutes(scheduleEndNs(cluster.plan0))).toBe(20);
  expect(due()).toBe(before as number);
});

test("a change that nobody can be told of is made once", () => {
  const cluster = new LonelyCluster({ duration: "10m" });
  for (const pod of cluster.pods) cluster.end(pod, "Failed");
  cluster.edit({ state: "Paused" });
  cluster.pass();
  const { timeline } = cluster.test.status ?? {};
  expect(timeline?.paused).toBe(true);
  cluster.nowMs += 1000;
  cluster.pass();
  expect(cluster.test.status?.timeline).toEqual(timeline as never);
});

test("a worker that was told to end, and hangs, knows no later course", () => {
  const cluster = new Cluster(loadTest({ workers: 2, duration: "10m" }));
  cluster.converge();
  const hung = cluster.pods[1];
  const deliver = cluster.deliver.bind(cluster);
  cluster.deliver = (pod) => (pod === hung ? undefined : deliver(pod));
  const change = (minute: number, spec: Partial<LoadTestSpec>) => {
    cluster.nowMs = nowMs + minute * 60_000;
    cluster.edit(spec);
    cluster.look(12);
  };
  change(1, { workers: 1 });
  change(2, { state: "Paused" });
  change(12, { state: "Running" });
  cluster.nowMs = nowMs + 780_000;
  cluster.pods = cluster.pods.filter((pod) => pod === hung);
  cluster.look(8);
  expect(cluster.live.map((pod) => minutes(scheduleEndNs(planOf(pod)))).toSorted()).toEqual([10, 20]);
});

test("while a worker that was told to end waits for its responses, a change is made once", () => {
  for (const spec of [{ requestsPerSecond: 200 }, { state: "Paused" as const }]) {
    const cluster = new LonelyCluster({ duration: "10m", timeout: "2m" });
    cluster.at(1).edit({ podTemplate: { labels: { team: "web" } } });
    cluster.pass();
    cluster.nowMs += 2000;
    cluster.edit(spec);
    cluster.pass();
    expect(cluster.test.status?.observedGeneration).toBe(cluster.test.metadata.generation);
    cluster.nowMs += 5000;
    expect(cluster.pass()).toEqual([]);
  }
});

test("the start is kept to the millisecond", () => {
  const cluster = new Cluster(loadTest({ workers: 2 }));
  cluster.converge();
  const startAtMs = planOf(cluster.live[0] as never).startAtMs as number;
  expect(startAtMs % 1000).not.toBe(0);
  cluster.pods = [];
  cluster.followed.clear();
  cluster.converge();
  expect(planOf(cluster.live[0] as never).startAtMs).toBe(startAtMs);
});

test("what is kept of workers whose Pods are all gone is in the verdict", () => {
  const cluster = new LonelyCluster({ duration: "10m", workers: 1 });
  const message = formatTerminationMessage(workerRecording(0, [[completed(Array(500).fill(1e6))]], 1));
  const departed = [{ uid: "gone", worker: 0, joinNs: 0, message }];
  cluster.pods = [];
  cluster.at(11);
  cluster.apply(plan({ ...cluster.world(), departed: new Map([["u1", departed]]) }, options, cluster.nowMs));
  expect(cluster.test.status).toMatchObject({ phase: "Failed", results: { completed: 500 } });
  expect(cluster.test.status?.results?.lost).toBe(600_000 - 500);
});

test("a run that is refused keeps its course", () => {
  const cluster = new LonelyCluster({ duration: "10m" });
  cluster.at(2);
  const before = cluster.test.status?.timeline;
  cluster.pods = [];
  cluster.change({ requestsPerSecond: 1_000_000 });
  expect(cluster.test.status?.timeline).toEqual(before as never);
});

test("a recorded change that follows on what is known in full is appended, another one stands for itself", () => {
  const known = { requestsPerSecond: 10, changes: [{ atNs: 100e9, clockNs: 100e9, requestsPerSecond: 9000 }] };
  const change = { atNs: 200e9, clockNs: 200e9, requestsPerSecond: 20 };
  const recorded = (dueCount: number) => ({ requestsPerSecond: 20, changes: [{ ...change, dueCount }] });
  expect(laterOf(known, recorded(901_000))).toEqual({ ...known, changes: [...known.changes, change] });
  expect(laterOf(known, recorded(5))).toEqual(recorded(5));
  expect(laterOf(known, { requestsPerSecond: 20, changes: [{ ...change, atNs: 100e9 }] })).toBe(known);
  const many = Array.from({ length: mostChanges }, (_, at) => ({ ...change, atNs: at * 1e9, clockNs: at * 1e9 }));
  const full = { requestsPerSecond: 20, changes: many };
  const { changes = [] } = laterOf(full, recorded(4000));
  expect([changes.length, changes.at(-1)]).toEqual([mostChanges, change]);
});

test("of a timeline its last change is remembered, with what was due by then", () => {
  const rates = { requestsPerSecond: 10, durationNs: 100e9 };
  expect(timelineSince(recordOf(rates, nowMs) as Recorded)).toEqual(rates);
  const changes = [
    { atNs: 10e9, clockNs: 10e9, requestsPerSecond: 20, durationNs: 100e9 },
    { atNs: 20e9, clockNs: 20e9, paused: true as const, requestsPerSecond: 20, durationNs: 100e9 },
  ];
  const timeline = timelineSince(recordOf({ ...rates, changes }, nowMs) as Recorded);
  expect(timeline.changes).toEqual([{ ...changes[1], dueCount: 300 } as never]);
  expect(recordOf(timeline, nowMs)).toEqual(recordOf({ ...rates, changes }, nowMs) as Recorded);
  const late = { atNs: 1e16, clockNs: 1e16, requestsPerSecond: 1 }; // after 115 days
  expect(recordOf({ ...rates, changes: [late] }, nowMs)).toBeUndefined();
});
