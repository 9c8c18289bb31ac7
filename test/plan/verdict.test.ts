import { expect, test } from "bun:test";
import type { LoadTestSpec } from "../../lib/loadtest/load-test.ts";
import { formatTerminationMessage } from "../../lib/stats/termination-message.ts";
import { completed, workerRecording } from "../stats/worker-recordings.ts";
import { Cluster, conditionIn, kinds, loadTest, nowMs } from "./cluster.ts";
import { ended, termination } from "./finished-pods.ts";

/** A test of 2 s that has begun. */
function started(spec: Partial<LoadTestSpec> = {}): Cluster {
  const cluster = new Cluster(loadTest({ duration: "2s", workers: 2, ...spec }));
  for (let pass = 0; pass < 2; pass++) {
    cluster.pass();
    cluster.settle();
  }
  return cluster;
}

/** How a worker ends that has sent its half of 2000 requests, each answered after 3 ms. */
const half = (worker: number) =>
  termination(formatTerminationMessage(workerRecording(worker, [[completed(Array(1000).fill(3e6))]])));

function finish(cluster: Cluster): void {
  cluster.pods = cluster.pods.map((pod, worker) => ended(pod, "Succeeded", half(worker)));
  cluster.nowMs = nowMs + 10_000;
}

test("a LoadTest whose workers have all ended is finished, and stays so without Pods", () => {
  const cluster = started();
  for (const pod of cluster.pods) cluster.end(pod, "Succeeded");
  cluster.pass();
  expect(cluster.test.status).toMatchObject({ phase: "Finished", workers: { desired: 0, ready: 0 } });
  expect(conditionIn(cluster.test, "Complete")).toMatchObject({ status: "True", reason: "WorkersFinished" });
  cluster.pods = [];
  cluster.nowMs += 1e6;
  expect(cluster.plan()).toEqual([]);
});

test.each<[limit: string, status: "True" | "False", reason: string]>([
  ["10ms", "True", "ThresholdsKept"],
  ["1ms", "False", "ThresholdsBroken"],
])(
  "a finished test with p99 limited to %s has results, is Passed=%s, and is not written again",
  (p99, status, reason) => {
    const cluster = started({ thresholds: { latency: { p99 } } });
    const { test } = cluster;
    expect(conditionIn(test, "Passed")).toMatchObject({ status: "Unknown", reason: "InProgress" });
    expect(test.status?.results).toBeUndefined();
    finish(cluster);
    expect(kinds(cluster.pass())).toEqual(["patchStatus", "deleteService"]);
    expect(test.status).toMatchObject({ phase: "Finished", display: { rps: "1000", errors: "0%", p99: "3ms" } });
    expect(test.status?.results).toMatchObject({
      scheduled: 2000,
      completed: 2000,
      valid: true,
      passed: status === "True",
    });
    expect(conditionIn(test, "Passed")).toMatchObject({ status, reason });
    expect(JSON.stringify(test.status)).not.toContain("null");
    cluster.nowMs += 60_000;
    for (const pods of [cluster.pods, cluster.pods.slice(1), []]) {
      cluster.pods = pods;
      expect(cluster.plan()).toEqual([]);
    }
  },
);

test("a verdict stays as it was given, when Pods go and thresholds change", () => {
  const cluster = started();
  finish(cluster);
  cluster.pass();
  const { conditions: _, observedGeneration: __, ...before } = cluster.test.status ?? {};
  const passed = conditionIn(cluster.test, "Passed");
  cluster.edit({ thresholds: { latency: { p99: "1ms" } } });
  for (const pods of [cluster.pods, []]) {
    cluster.pods = pods;
    cluster.nowMs += 10_000;
    cluster.pass();
    expect(cluster.test.status).toMatchObject(before);
    expect(conditionIn(cluster.test, "Passed")).toEqual(passed);
    expect(cluster.plan()).toEqual([]);
  }
});

test("a finished test whose verdict somebody has taken away gets an unknown one", () => {
  const cluster = started();
  finish(cluster);
  cluster.pass();
  const { results: _, display: __, conditions = [], ...status } = cluster.test.status ?? {};
  cluster.test.status = { ...status, conditions: conditions.filter(({ type }) => type !== "Passed") };
  cluster.pass();
  expect(conditionIn(cluster.test, "Passed")).toMatchObject({ status: "Unknown", reason: "ResultsIncomplete" });
  expect(cluster.plan()).toEqual([]);
});
