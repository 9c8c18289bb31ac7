import { describe, expect, test } from "bun:test";
import { newsOf } from "../../lib/plan/news.ts";
import { plan } from "../../lib/plan/plan.ts";
import { repairsIn } from "../../lib/plan/repairs.ts";
import type { WorkerReport } from "../../lib/plan/worker-report.ts";
import { type Action, objectName } from "../../lib/plan/world.ts";
import { emptyAccount } from "../../lib/stats/account.ts";
import type { SnapshotLine } from "../../lib/stats/line.ts";
import { Cluster, conditionIn, created, loadTest, options, planOf } from "./cluster.ts";

/** A cluster whose workers leave so many of 100 requests unsent, though they have free connections. */
class LoadedCluster extends Cluster {
  missed = 0;

  override reports(): Map<string, WorkerReport> {
    return new Map([...super.reports()].map(([uid, report]) => [uid, this.#loaded(report)]));
  }

  #loaded(report: WorkerReport): WorkerReport {
    if (report.snapshot === undefined) return report;
    const sent = 100 - this.missed;
    const account = { ...emptyAccount(), scheduled: 100, sent, completed: sent, unsent: this.missed };
    const snapshot: SnapshotLine = { ...report.snapshot, account };
    return { ...report, snapshot, recent: [snapshot] };
  }

  /** Some passes over a few seconds. */
  lookFor(seconds = 30): Action[] {
    const actions: Action[] = [];
    for (let pass = 0; pass < seconds / 5; pass++) {
      this.settle();
      actions.push(...this.pass());
      this.nowMs += 5000;
    }
    return actions;
  }

  get counts(): number[] {
    return this.live.map((pod) => planOf(pod).worker.count);
  }
}

function begun(spec = {}): LoadedCluster {
  const cluster = new LoadedCluster(loadTest(spec));
  cluster.converge();
  return cluster;
}

test.each([
  ["Running", true],
  ["Paused", true],
  ["Running", false],
] as const)(
  "fewer workers are left when the rate falls, also when the status of that pass is not written (%s, begun: %p)",
  (state, hasBegun) => {
    const cluster = new LoadedCluster(loadTest({ requestsPerSecond: 25_000 }));
    if (hasBegun) cluster.converge();
    else cluster.pass();
    expect(cluster.live.length).toBe(3);
    cluster.edit({ requestsPerSecond: 5000, state });
    cluster.apply(cluster.plan().filter(({ kind }) => kind !== "patchStatus"));
    cluster.converge();
    expect(cluster.live.length).toBe(1);
  },
);

describe("workers that do not keep up", () => {
  test("are given another one, not at once, and it takes its share when it runs", () => {
    const cluster = begun();
    cluster.missed = 10;
    expect(created(cluster.lookFor(25))).toEqual([]);
    const before = structuredClone(cluster.test);
    const actions = cluster.lookFor(10);
    expect(created(actions).length).toBe(1);
    expect(repairsIn(actions).added.length).toBe(1);
    expect(newsOf(before, actions).map(({ reason }) => reason)).toContain("WorkerAdded");
    cluster.missed = 0;
    cluster.lookFor();
    expect(cluster.counts).toEqual([2, 2]);
    expect(cluster.test.status?.workers).toEqual({ desired: 2, ready: 2 });
    expect(conditionIn(cluster.test, "RateAchieved")?.status).toBe("True");
    cluster.lookFor(300);
    expect(cluster.counts).toEqual([2, 2]);
  });

  test("keep the other one through an edit of something else, also while it is being replaced", () => {
    const cluster = begun();
    cluster.missed = 10;
    cluster.lookFor(35);
    cluster.missed = 0;
    cluster.lookFor();
    expect(cluster.counts).toEqual([2, 2]);
    cluster.end(cluster.live[1] as never, "Failed");
    cluster.edit({ timeout: "5s" });
    cluster.lookFor(60);
    expect(cluster.counts).toEqual([2, 2]);
  });

  test("keep their whole share as long as the new one does not run", () => {
    const cluster = begun();
    cluster.missed = 10;
    cluster.lookFor(25);
    for (let pass = 0; pass < 20; pass++) {
      cluster.pass();
      cluster.nowMs += 5000;
    }
    expect(cluster.counts).toEqual([1, 2]);
    expect(cluster.live.map(objectName)).toHaveLength(2);
  });

  test("are given no more than three more each", () => {
    const cluster = begun({ requestsPerSecond: 15_000 });
    expect(cluster.counts.length).toBe(2);
    cluster.missed = 10;
    cluster.lookFor(1000);
    expect(cluster.counts).toEqual(Array(8).fill(8));
  });

  test("whose number is asked for are left alone", () => {
    const cluster = begun({ workers: 1 });
    cluster.missed = 10;
    cluster.lookFor(200);
    expect(cluster.counts).toEqual([1]);
  });

  test("are no reason for another while one of them is not in order", () => {
    const cluster = begun({ requestsPerSecond: 15_000 });
    cluster.missed = 10;
    cluster.end(cluster.pods[1] as never, "Failed");
    (cluster.pods[1] as { status: object }).status = { phase: "Failed", reason: "Evicted", containerStatuses: [] };
    expect(repairsIn(cluster.lookFor(30)).added).toEqual([]);
  });

  test("once more, keep those added when the rate rises or stays, and give them up when it falls", () => {
    const cluster = begun();
    cluster.missed = 10;
    cluster.lookFor(35);
    cluster.missed = 0;
    cluster.lookFor(30);
    for (const [requestsPerSecond, workers] of [
      [1500, 2],
      [1400, 1],
    ] as const) {
      cluster.edit({ requestsPerSecond });
      cluster.lookFor(60);
      expect(cluster.counts).toEqual(Array(workers).fill(workers));
      expect(cluster.test.status?.workers).toEqual({ desired: workers, ready: workers });
    }
  });

  test("and one added that never ran do not keep a run from ending", () => {
    const cluster = begun({ duration: "1m" });
    cluster.missed = 10;
    cluster.lookFor(25);
    for (let pass = 0; pass < 10; pass++) {
      cluster.pass();
      cluster.nowMs += 5000;
    }
    expect(cluster.live.length).toBe(2);
    cluster.nowMs += 60_000;
    cluster.end(cluster.pods[0] as never, "Succeeded");
    cluster.pass();
    cluster.pods = cluster.pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    cluster.pass();
    expect(conditionIn(cluster.test, "Complete")).toMatchObject({ status: "True", reason: "WorkersFinished" });
  });
});

describe("a worker that runs and says nothing new", () => {
  /** What is done when workers of these seats were last heard of this long ago. */
  function doneAfter(cluster: Cluster, silentMs: number, seats: readonly number[]): Action[] {
    const reports = new Map(
      [...cluster.reports()].map(([uid, report], seat) => [
        uid,
        { ...report, saidAtMs: cluster.nowMs - (seats.includes(seat) ? silentMs : 0) },
      ]),
    );
    return plan({ ...cluster.world(), reports }, options, cluster.nowMs);
  }
  const deleted = (actions: readonly Action[]) =>
    actions.flatMap((one) => (one.kind === "deletePod" ? [one.name.slice(-2)] : []));

  test("for a minute is given up and replaced, one at a time, unless most are silent", () => {
    const cluster = begun({ workers: 4 });
    expect(deleted(doneAfter(cluster, 59_000, [1]))).toEqual([]);
    expect(deleted(doneAfter(cluster, 60_000, [0, 1, 3]))).toEqual([]);
    const actions = doneAfter(cluster, 60_000, [1, 2]);
    expect(deleted(actions)).toEqual(["-1"]);
    expect(newsOf(cluster.test, actions)).toMatchObject([{ type: "Warning", reason: "WorkerStuck" }]);
    cluster.apply(actions);
    expect(deleted(doneAfter(cluster, 60_000, [1, 2]))).toEqual([]);
    cluster.converge();
    expect(cluster.live.length).toBe(4);
  });
});
