// Whose place is taken again, and how often: what ends a worker is not always a fault of its own.
import { expect, test } from "bun:test";
import type { Pod } from "../../lib/plan/objects.ts";
import { formatTerminationMessage } from "../../lib/stats/termination-message.ts";
import { completed, workerRecording } from "../stats/worker-recordings.ts";
import { Cluster, conditionIn, created, loadTest, nowMs, planOf } from "./cluster.ts";

const interrupted = [{ name: "worker", ready: false, restartCount: 0, state: { terminated: { exitCode: 143 } } }];

/** Ends all workers as the kubelet does, with a signal. */
function interrupt(cluster: Cluster, reason: string): void {
  for (const pod of cluster.live) pod.status = { phase: "Failed", reason, containerStatuses: interrupted };
}

/** Lets it go on; a failed worker waits for its replacement. */
function goOn(cluster: Cluster): void {
  cluster.converge();
  cluster.nowMs += 600_000;
  cluster.converge();
}

for (const duration of [undefined, "8h"]) {
  for (const reason of ["Evicted", "DeadlineExceeded", "Terminated"]) {
    test(`a worker whose Pod is ended early is replaced, and its run is not over: ${reason}, ${duration}`, () => {
      const cluster = new Cluster(loadTest({ workers: 1, ...(duration === undefined ? {} : { duration }) }));
      goOn(cluster);
      interrupt(cluster, reason);
      goOn(cluster);
      expect(cluster.live.length).toBe(1);
      expect(conditionIn(cluster.test, "Complete")?.status).toBe("False");
    });
  }
}

test("a worker that is ended with its Pod is replaced once that is gone, under the same name", () => {
  const cluster = new Cluster(loadTest({ workers: 1 }));
  goOn(cluster);
  const names = cluster.pods.map(({ metadata }) => metadata.name);
  for (const pod of cluster.pods) pod.metadata.deletionTimestamp = "2030-01-01T01:00:00Z";
  interrupt(cluster, "");
  cluster.pass();
  expect(cluster.live.length).toBe(0);
  expect(conditionIn(cluster.test, "Complete")?.status).toBe("False");
  cluster.pods = [];
  cluster.pass();
  expect(cluster.live.map(({ metadata }) => metadata.name)).toEqual(names);
  expect(conditionIn(cluster.test, "Complete")?.status).toBe("False");
});

test.each([1, 4])("Pods that live as long as they may are replaced, all at once and again and again: %i", (workers) => {
  const cluster = new Cluster(loadTest({ workers, duration: "24h" }));
  for (let life = 0; life < 8; life++) {
    goOn(cluster);
    expect(cluster.live.length).toBe(workers);
    interrupt(cluster, "DeadlineExceeded");
  }
});

test("a worker that fails five times is not replaced any more, nor any when most have failed", () => {
  const alone = new Cluster(loadTest({ workers: 1 }));
  for (let failure = 0; failure < 5; failure++) {
    goOn(alone);
    expect(alone.live.length).toBe(1);
    interrupt(alone, "Evicted");
  }
  goOn(alone);
  expect(alone.live.length).toBe(0);
  const four = new Cluster(loadTest({ workers: 4 }));
  goOn(four);
  for (const pod of four.live.slice(0, 3)) four.end(pod, "Failed");
  goOn(four);
  expect(four.live.length).toBe(1);
});

test("a load without end whose workers are given up ends when it is given a duration that has passed", () => {
  const cluster = new Cluster(loadTest({ workers: 1 }));
  for (let failure = 0; failure < 5; failure++) {
    goOn(cluster);
    interrupt(cluster, "Evicted");
  }
  goOn(cluster);
  cluster.edit({ duration: "1m" });
  goOn(cluster);
  expect(conditionIn(cluster.test, "Complete")).toMatchObject({ status: "True", reason: "WorkersFailed" });
});

test("workers replaced for an edit are no failures", () => {
  const cluster = new Cluster(loadTest({ workers: 1 }));
  for (let edition = 0; edition < 6; edition++) {
    cluster.edit({ podTemplate: { labels: { edition: `${edition}` } } });
    goOn(cluster);
  }
  for (const pod of cluster.live) cluster.end(pod, "Failed");
  goOn(cluster);
  expect(cluster.live.length).toBe(1);
});

test("who follows a worker that nobody has heard of goes on with its schedule, if it has left when that began", () => {
  const cluster = new Cluster(loadTest({ workers: 1, duration: "60s" }));
  cluster.pass();
  const message = formatTerminationMessage(workerRecording(0, [[completed([1e6])]], 1));
  const state = { terminated: { exitCode: 143, message } };
  const containerStatuses = [{ name: "worker", ready: false, restartCount: 0, state }];
  for (const pod of cluster.pods) pod.status = { phase: "Failed", reason: "Evicted", containerStatuses };
  cluster.nowMs += 10_000;
  const [next] = created(cluster.pass());
  expect(next && planOf(next)).toMatchObject({ barrier: true, durationNs: 60e9 });
  expect(cluster.test.status?.startTime).toBe("2030-01-01T00:00:00Z");
  cluster.converge();
  expect(cluster.live.map((pod) => planOf(pod).startAtMs)).toEqual([nowMs]);
});

test("who follows a single worker that was not heard waits to be told its start", () => {
  const cluster = new Cluster(loadTest({ workers: 1 }));
  cluster.pass();
  interrupt(cluster, "Evicted");
  cluster.nowMs += 10_000;
  const [next] = created(cluster.pass());
  expect(next && planOf(next).barrier).toBe(true);
  cluster.converge();
  expect(cluster.live.map((pod) => (planOf(pod).startAtMs as number) > nowMs)).toEqual([true]);
});

test("a worker whose Pod was made by one who did not know of the start joins: what was due before is not its own", () => {
  const cluster = new Cluster(loadTest({ workers: 1 }));
  const creation = cluster.plan().filter(({ kind }) => kind === "createPod");
  goOn(cluster);
  cluster.pods = [];
  cluster.apply(creation);
  cluster.pass();
  const [pod] = cluster.pods as [Pod];
  expect(planOf(pod)).toMatchObject({ startAtMs: nowMs, joinNs: (cluster.nowMs + 1000 - nowMs) * 1e6 });
});
