import { describe, expect, test } from "bun:test";
import { planHash } from "../../lib/load/worker-plan.ts";
import { planAnnotation } from "../../lib/plan/names.ts";
import { nextLookMs } from "../../lib/plan/next-look.ts";
import type { Observed, Pod } from "../../lib/plan/objects.ts";
import { plan as planAll } from "../../lib/plan/plan.ts";
import { Cluster, conditionIn, created, kinds, loadTest, nowMs, options, planOf } from "./cluster.ts";

function begun(spec = {}): Cluster {
  const cluster = new Cluster(loadTest({ workers: 2, ...spec }));
  cluster.converge();
  return cluster;
}

const uids = ({ pods }: Cluster) => pods.map(({ metadata }) => metadata.uid);

describe("an edit", () => {
  test("of the rate is told to all workers, for one instant ahead, with nobody replaced", () => {
    const cluster = begun();
    const before = uids(cluster);
    cluster.edit({ requestsPerSecond: 3000 });
    expect(kinds(cluster.pass())).toEqual(["setPlan", "setPlan", "patchStatus"]);
    const [one, other] = cluster.pods.map(planOf);
    const { startAtMs = 0, requestsPerSecond, changes = [] } = one as NonNullable<typeof one>;
    expect(requestsPerSecond).toBe(1000);
    const atNs = (cluster.nowMs - startAtMs) * 1e6 + 1e9;
    expect(changes).toEqual([{ atNs, clockNs: atNs, requestsPerSecond: 3000 }]);
    expect(other?.changes).toEqual(changes);
    cluster.converge();
    expect(uids(cluster)).toEqual(before);
    expect(cluster.test.status?.observedGeneration).toBe(2);
  });

  test("of the rate has an instant too where no log tells when the only worker began", () => {
    const cluster = new Cluster(loadTest({ workers: 1, requestsPerSecond: 100 }));
    cluster.pass();
    for (const pod of cluster.pods) cluster.start(pod);
    const startedAtMs = cluster.nowMs;
    cluster.nowMs += 29_000;
    cluster.pass();
    expect(cluster.pods.map(planOf).map(({ startAtMs }) => startAtMs)).toEqual([undefined]);
    cluster.nowMs += 1000;
    cluster.edit({ requestsPerSecond: 50 });
    cluster.pass();
    expect(cluster.pods.map(planOf)).toMatchObject([
      { startAtMs: startedAtMs, requestsPerSecond: 100, changes: [{ atNs: 31e9, requestsPerSecond: 50 }] },
    ]);
  });

  test("that only some workers were told is told to the others as it was", () => {
    const cluster = begun();
    cluster.edit({ requestsPerSecond: 3000 });
    cluster.apply(cluster.plan().slice(0, 1));
    cluster.nowMs += 5000;
    cluster.pass();
    const [one, other] = cluster.pods.map((pod) => planOf(pod).changes);
    expect(one).toHaveLength(1);
    expect(other).toEqual(one);
  });

  test("before the start changes the rates from the start on", () => {
    const cluster = new Cluster(loadTest({ workers: 2 }));
    cluster.pass();
    cluster.edit({ requestsPerSecond: 3000, duration: "5s" });
    cluster.pass();
    for (const pod of cluster.pods) {
      expect(planOf(pod)).toMatchObject({ requestsPerSecond: 3000, durationNs: 5e9 });
      expect(planOf(pod).changes).toBeUndefined();
    }
  });

  test("of paths keeps those that were, unused, at their places", () => {
    const cluster = begun({ paths: ["/a", "/b"] });
    cluster.edit({ paths: ["/b", "/c"] });
    cluster.converge();
    const requests = cluster.pods.map((pod) => planOf(pod).requests.map(({ path, weight }) => [path, weight]));
    const wanted = [
      ["/a", 0],
      ["/b", 1],
      ["/c", 1],
    ];
    expect(requests).toEqual([wanted, wanted]);
  });

  test("of what a worker cannot follow ends it with its results, and replaces it when that is done", () => {
    const cluster = begun({ arrivals: "Constant" });
    cluster.edit({ arrivals: "Poisson" });
    expect(kinds(cluster.pass())).toEqual(["setPlan", "setPlan", "patchStatus"]);
    expect(cluster.pods.every((pod) => planOf(pod).stop)).toBe(true);
    expect(created(cluster.plan())).toEqual([]);
    cluster.converge();
    expect(cluster.pods.map(({ metadata }) => metadata.name.replace(/-[0-9a-f]{8}-/, "-"))).toEqual([
      "lt-0",
      "lt-1",
      "lt-0-1",
      "lt-1-1",
    ]);
    const startAtMs = planOf(cluster.pods[0] as never).startAtMs;
    for (const pod of cluster.live) {
      expect(planOf(pod)).toMatchObject({ startAtMs: startAtMs as number, joinNs: expect.any(Number) as never });
    }
  });

  test("that makes the LoadTest wrong ends the workers, and one that mends it makes new ones", () => {
    const cluster = begun();
    cluster.edit({ requestsPerSecond: 0 });
    cluster.converge();
    expect(cluster.live).toEqual([]);
    expect(conditionIn(cluster.test, "Accepted")).toMatchObject({ status: "False", reason: "Invalid" });
    cluster.edit({ requestsPerSecond: 5 });
    cluster.converge();
    expect(cluster.live.length).toBe(2);
    expect(cluster.test.status?.phase).toBe("Running");
  });
});

describe("a run whose spec is refused in its course", () => {
  const refused = [
    ["malformed", { duration: "nonsense" }, "Invalid"],
    ["above the limit", { requestsPerSecond: 1e6 }, "RateAboveLimit"],
    ["through a Canary that is not there", { service: undefined, canary: "gone" }, "CanaryNotFound"],
  ] as const;

  test.each(refused)("ends with its schedule, by what its workers have left: %s", (_, change, reason) => {
    const cluster = begun({ duration: "1h" });
    cluster.edit(change as never);
    cluster.converge();
    expect(cluster.live).toEqual([]);
    expect(conditionIn(cluster.test, "Accepted")?.reason).toBe(reason);
    expect(cluster.test.status?.phase).toBe("Pending");
    const untilMs = Math.round(nextLookMs(cluster.world(), options, cluster.nowMs) as number);
    cluster.nowMs += untilMs - 1;
    expect(cluster.plan()).toEqual([]);
    cluster.nowMs += 1;
    cluster.pass();
    expect(cluster.test.status?.phase).toBe("Failed");
    expect(conditionIn(cluster.test, "Complete")).toMatchObject({ status: "True", reason: "NotAccepted" });
    expect(conditionIn(cluster.test, "Passed")).toMatchObject({ status: "Unknown", reason: "ResultsIncomplete" });
  });

  test("can be stopped", () => {
    const cluster = begun();
    cluster.edit({ requestsPerSecond: 1e6 });
    cluster.converge();
    cluster.edit({ state: "Stopped" });
    cluster.converge();
    expect(conditionIn(cluster.test, "Complete")).toMatchObject({ status: "True", reason: "Stopped" });
  });
});

describe("state", () => {
  test("Paused stops the clock of the schedule, and Running again goes on where it stood", () => {
    const cluster = begun({ duration: "1h" });
    const startAtMs = planOf(cluster.pods[0] as never).startAtMs as number;
    cluster.edit({ state: "Paused" });
    cluster.pass();
    const pausedNs = (cluster.nowMs - startAtMs) * 1e6 + 1e9;
    cluster.settle();
    cluster.nowMs += 999;
    cluster.pass();
    expect(cluster.test.status?.phase).toBe("Running"); // its workers send until then
    expect(nextLookMs(cluster.world(), options, cluster.nowMs)).toBeLessThanOrEqual(1000);
    cluster.nowMs += 1;
    cluster.converge();
    expect(cluster.test.status?.phase).toBe("Paused");
    cluster.nowMs += 600_000;
    cluster.edit({ state: "Running" });
    cluster.pass();
    const [, resumed] = planOf(cluster.pods[0] as never).changes ?? [];
    expect(resumed).toMatchObject({ clockNs: pausedNs, atNs: (cluster.nowMs - startAtMs) * 1e6 + 1e9 });
    cluster.converge();
    expect(cluster.test.status?.phase).toBe("Running");
    expect(cluster.pods.length).toBe(2);
  });

  test("Paused from the beginning makes workers that wait for the rates", () => {
    const cluster = new Cluster(loadTest({ state: "Paused" }));
    cluster.converge();
    expect(planOf(cluster.pods[0] as never).changes).toEqual([
      { atNs: 0, clockNs: 0, paused: true, requestsPerSecond: 1000 },
    ]);
    expect(cluster.test.status?.phase).toBe("Paused");
  });

  test("Stopped ends the workers with their results, and the run with them", () => {
    const cluster = begun();
    cluster.edit({ state: "Stopped" });
    expect(kinds(cluster.pass())).toEqual(["setPlan", "setPlan", "patchStatus"]);
    expect(conditionIn(cluster.test, "Complete")?.status).toBe("False");
    cluster.converge();
    expect(cluster.pods.length).toBe(2);
    expect(cluster.test.status?.phase).toBe("Finished");
    expect(conditionIn(cluster.test, "Complete")).toMatchObject({ status: "True", reason: "Stopped" });
    cluster.edit({ state: "Running" });
    cluster.converge();
    expect(cluster.live).toEqual([]);
  });

  test("Stopped before there was a worker is an end, too", () => {
    const cluster = new Cluster(loadTest({ state: "Stopped" }));
    cluster.converge();
    expect(cluster.pods).toEqual([]);
    expect(conditionIn(cluster.test, "Complete")).toMatchObject({ status: "True", reason: "Stopped" });
  });

  test("Stopped while workers wait for their start takes their Pods away", () => {
    const cluster = new Cluster(loadTest({ workers: 2 }));
    cluster.pass();
    cluster.start(cluster.pods[0] as never);
    cluster.edit({ state: "Stopped" });
    expect(kinds(cluster.pass())).toEqual(["deletePod", "deletePod", "patchStatus"]);
    cluster.converge();
    expect(conditionIn(cluster.test, "Complete")?.status).toBe("True");
  });
});

describe("runID", () => {
  function finished(spec = {}): Cluster {
    const cluster = begun({ duration: "2s", runID: "1", ...spec });
    for (const pod of cluster.pods) cluster.end(pod, "Succeeded");
    cluster.converge();
    return cluster;
  }

  test("another one makes a finished LoadTest run again, with Pods and results of its own", () => {
    const cluster = finished();
    expect(cluster.test.status).toMatchObject({ phase: "Finished", runID: "1" });
    const old = cluster.pods.map(({ metadata }) => metadata.name);
    cluster.edit({ runID: "2" });
    expect(kinds(cluster.pass())).toEqual(["deletePod", "deletePod", "patchStatus"]);
    expect(cluster.test.status).toMatchObject({ phase: "Pending", runID: "2" });
    for (const field of ["startTime", "completionTime", "results", "display"] as const) {
      expect(cluster.test.status?.[field]).toBeUndefined();
    }
    cluster.converge();
    expect(cluster.test.status?.phase).toBe("Running");
    expect(cluster.pods.length).toBe(2);
    expect(cluster.pods.some(({ metadata }) => old.includes(metadata.name))).toBe(false);
  });

  test("another one waits for the end of the run that is under way", () => {
    const cluster = begun({ duration: "1h", runID: "1" });
    const before = uids(cluster);
    cluster.edit({ runID: "2" });
    cluster.converge();
    expect(uids(cluster)).toEqual(before);
    expect(cluster.test.status?.runID).toBe("1");
    for (const pod of cluster.pods) cluster.end(pod, "Succeeded");
    cluster.converge();
    expect(cluster.test.status).toMatchObject({ phase: "Running", runID: "2" });
  });
});

test("a load that has not begun by startDeadline is given up", () => {
  const cluster = new Cluster(loadTest({ workers: 2, startDeadline: "60s" }));
  cluster.pass();
  cluster.pass();
  cluster.nowMs += 59_000;
  expect(kinds(cluster.plan())).toEqual([]);
  cluster.nowMs += 1000;
  expect(kinds(cluster.pass())).toEqual(["deletePod", "deletePod", "patchStatus"]);
  cluster.converge();
  expect(cluster.test.status?.phase).toBe("Failed");
  expect(conditionIn(cluster.test, "Complete")).toMatchObject({ status: "True", reason: "StartDeadlineExceeded" });
});

test("startDeadline does not end a load that may run while its log cannot be read", () => {
  for (const deadline of ["10s", "60s"]) {
    const cluster = new Cluster(loadTest({ startDeadline: deadline, duration: "1h" }));
    cluster.pass();
    for (const pod of cluster.pods) cluster.start(pod);
    for (let second = 0; second < 90; second++) {
      cluster.pass();
      cluster.nowMs += 1000;
    }
    expect(conditionIn(cluster.test, "Complete")?.reason).toBe("InProgress");
    expect(cluster.pods.map((pod) => planOf(pod).stop)).toEqual([undefined]);
  }
});

test("startDeadline ends a worker that says that it has not begun, and one that does not run", () => {
  for (const isRunning of [true, false]) {
    const cluster = new Cluster(loadTest({ startDeadline: "10s", duration: "1h" }));
    cluster.pass();
    const [pod] = cluster.pods as [Observed<Pod>];
    if (isRunning) cluster.start(pod);
    cluster.pass();
    cluster.nowMs += 10_000;
    const plan = planHash(pod.metadata.annotations?.[planAnnotation] as string);
    const reports = new Map(isRunning ? [[pod.metadata.uid, { plan }]] : []);
    cluster.apply(planAll({ ...cluster.world(), reports }, options, cluster.nowMs));
    expect(planOf(pod).stop === true || pod.metadata.deletionTimestamp !== undefined).toBe(true);
  }
});

test("a LoadTest is deleted ttlAfterFinished after its end, and not before", () => {
  const cluster = new Cluster(loadTest({ state: "Stopped", ttlAfterFinished: "10m" }));
  cluster.converge();
  cluster.nowMs = nowMs + 599_000;
  expect(cluster.plan()).toEqual([]);
  cluster.nowMs = nowMs + 660_000;
  expect(cluster.plan()).toMatchObject([{ kind: "deleteLoadTest", namespace: "ns", name: "lt", uid: "u1" }]);
});

test("a LoadTest of which nobody says when it ended is not deleted", () => {
  const cluster = new Cluster(loadTest({ state: "Stopped", ttlAfterFinished: "10m" }));
  cluster.converge();
  for (const completionTime of [undefined, "yesterday"]) {
    Object.assign(cluster.test.status ?? {}, { completionTime });
    cluster.nowMs = nowMs + 660_000;
    expect(kinds(cluster.plan())).not.toContain("deleteLoadTest");
    expect(nextLookMs(cluster.world(), options, cluster.nowMs)).toBeUndefined();
  }
});

test("a worker that appears when its run is over is ended, and its run stays as it was", () => {
  const cluster = begun({ duration: "2s" });
  const [late] = structuredClone(cluster.pods);
  for (const pod of cluster.pods) cluster.end(pod, "Succeeded");
  cluster.converge();
  const before = structuredClone(cluster.test.status);
  cluster.pods.push({ ...late, metadata: { ...late?.metadata, uid: "late" } } as never);
  expect(kinds(cluster.pass())).toEqual(["setPlan"]);
  cluster.converge();
  expect(cluster.live).toEqual([]);
  expect(cluster.test.status).toEqual(before as never);
});

test("another runID before the load has begun takes the Pods away, though the spec is refused meanwhile", () => {
  const cluster = new Cluster(loadTest({ workers: 2, runID: "1" }));
  cluster.pass();
  cluster.settle();
  cluster.edit({ runID: "2", requestsPerSecond: 0 });
  cluster.converge();
  expect(cluster.pods).toEqual([]);
});
