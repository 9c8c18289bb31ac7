import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { rateCurve } from "../../lib/load/planned-schedule.ts";
import type { WorkerPlan } from "../../lib/load/worker-plan.ts";
import { planAnnotation } from "../../lib/plan/names.ts";
import { nextLookMs } from "../../lib/plan/next-look.ts";
import type { Observed, Pod } from "../../lib/plan/objects.ts";
import { plan } from "../../lib/plan/plan.ts";
import type { WorkerReport } from "../../lib/plan/worker-report.ts";
import { Cluster, conditionIn, created, kinds, loadTest, nowMs, options, planOf, running } from "./cluster.ts";

function begun(spec = {}): Cluster {
  const cluster = new Cluster(loadTest(spec));
  cluster.converge();
  return cluster;
}

const shares = ({ pods }: Cluster) => pods.map((pod) => planOf(pod).worker);
const shortName = ({ metadata }: Pod) => metadata.name.replace(/-[0-9a-f]{8}-/, "-");

describe("more workers", () => {
  test("run before the others' share shrinks, and begin when these have said that it has", () => {
    const cluster = begun({ workers: 2 });
    cluster.edit({ workers: 3 });
    expect(kinds(cluster.pass())).toEqual(["createPod", "patchStatus"]);
    expect(shares(cluster).map(({ count }) => count)).toEqual([2, 2, 3]);
    const [first, second, third] = cluster.pods as [Observed<Pod>, Observed<Pod>, Observed<Pod>];
    cluster.start(third);
    cluster.deliver(third);
    cluster.pass();
    expect(shares(cluster)).toEqual([0, 1, 2].map((index) => ({ index, count: 3 })));
    cluster.deliver(first);
    expect(kinds(cluster.pass())).not.toContain("setPlan");
    cluster.deliver(second);
    expect(kinds(cluster.pass())).toContain("setPlan");
    expect(planOf(third)).toMatchObject({
      startAtMs: planOf(first).startAtMs as number,
      joinNs: (cluster.nowMs + 1000 - (planOf(first).startAtMs as number)) * 1e6,
    });
    expect(planOf(first).joinNs).toBeUndefined();
  });

  test("never hold more than the whole with one of before that waits to begin, which goes first", () => {
    const cluster = begun({ workers: 1 });
    cluster.pods = [];
    cluster.pass();
    cluster.edit({ workers: 4 });
    cluster.pass();
    for (const seat of [2, 0, 3, 1]) {
      const pod = cluster.pods[seat] as Observed<Pod>;
      cluster.start(pod);
      cluster.deliver(pod);
      cluster.pass();
      const begun = cluster.pods.filter((one) => planOf(one).startAtMs !== undefined);
      expect(begun.map(shortName)).toEqual(seat === 2 ? [] : ["lt-0"]);
    }
    cluster.converge();
    expect(cluster.pods.map((one) => planOf(one).startAtMs)).toEqual(Array(4).fill(nowMs));
    expect(shares(cluster)).toEqual([0, 1, 2, 3].map((index) => ({ index, count: 4 })));
  });
});

describe("before the load", () => {
  const isTold = ({ pods }: Cluster) => pods.some((pod) => planOf(pod).startAtMs !== undefined);

  test("the first worker alone tries the paths, and nobody is told a start before it says that it has", () => {
    const cluster = new Cluster(loadTest({ workers: 3 }));
    cluster.pass();
    expect(cluster.pods.map((pod) => planOf(pod).preflight)).toEqual([true, undefined, undefined]);
    for (const pod of cluster.pods) cluster.start(pod);
    for (const pod of cluster.pods.slice(1)) cluster.deliver(pod);
    cluster.pass();
    expect(isTold(cluster)).toBe(false);
    cluster.deliver(cluster.pods[0] as never);
    cluster.pass();
    expect(isTold(cluster)).toBe(true);
    expect(planOf(cluster.pods[0] as Pod).preflight).toBe(true);
  });

  test("a log that cannot be read does not keep the load from beginning for ever", () => {
    const cluster = new Cluster(loadTest({ workers: 2 }));
    cluster.pass();
    for (const pod of cluster.pods) cluster.start(pod);
    cluster.pass();
    expect(isTold(cluster)).toBe(false);
    cluster.nowMs += 31_000;
    cluster.pass();
    expect(isTold(cluster)).toBe(true);
  });

  test("a worker that takes the place of another in mid-schedule tries nothing", () => {
    const cluster = begun({ workers: 2, duration: "1h" });
    cluster.pods.shift();
    cluster.converge();
    expect(cluster.pods.map((pod) => planOf(pod).preflight)).toEqual([undefined, undefined]);
  });

  test("what came of it is a condition that stays, with how many requests it took", () => {
    const cluster = begun({ workers: 2 });
    const says = (preflight: object) => {
      const uid = cluster.pods[0]?.metadata.uid as string;
      const report = { ...cluster.reports().get(uid), preflight } as WorkerReport;
      cluster.apply(plan({ ...cluster.world(), reports: new Map([[uid, report]]) }, options, cluster.nowMs));
      return conditionIn(cluster.test, "TargetAnswers");
    };
    expect(conditionIn(cluster.test, "TargetAnswers")).toBeUndefined();
    expect(says({ requests: 3, failed: 0 })).toMatchObject({ status: "True", reason: "AsExpected" });
    expect(says({ requests: 3, failed: 1, example: 'GET "/x" to "web": status 404' })).toMatchObject({
      status: "False",
      reason: "PathsFailed",
      message: 'Before the load, 3 requests were sent; 1 failed, such as GET "/x" to "web": status 404.',
    });
    cluster.pass();
    expect(conditionIn(cluster.test, "TargetAnswers")?.reason).toBe("PathsFailed");
  });
});

test("a worker that had finished before its schedule was made longer is replaced, unless all had", () => {
  for (const [finished, replaced] of [
    [1, ["lt-0-1"]],
    [2, []],
  ] as const) {
    const cluster = begun({ workers: 2, duration: "20s" });
    cluster.nowMs += 23_000;
    cluster.edit({ duration: "1h" });
    for (const pod of cluster.pods.slice(0, finished)) cluster.end(pod, "Succeeded");
    expect(created(cluster.plan()).map(shortName)).toEqual([...replaced]);
  }
});

test("a run whose Pods are all gone when its time is over has failed", () => {
  const cluster = begun({ workers: 2, duration: "20s" });
  cluster.nowMs += 60_000;
  cluster.pods = [];
  cluster.pass();
  const message = "2 of 2 workers are gone.";
  expect(conditionIn(cluster.test, "Complete")).toMatchObject({ status: "True", reason: "WorkersFailed", message });
  expect(cluster.plan()).toEqual([]);
});

describe("a single worker, which begins by itself", () => {
  test("is told no start but its own: a pause from the beginning would begin later", () => {
    const cluster = new Cluster(loadTest({ state: "Paused" }));
    cluster.pass();
    const [pod] = cluster.pods as [Observed<Pod>];
    cluster.start(pod);
    expect(kinds(cluster.pass())).not.toContain("setPlan");
    cluster.nowMs += 500;
    cluster.deliver(pod); // and it says that it has begun
    expect(kinds(cluster.pass())).toContain("setPlan");
    expect(planOf(pod).startAtMs).toBe(nowMs);
  });
});

describe("fewer workers", () => {
  test("end first; only then does the share of the others grow", () => {
    const cluster = begun({ workers: 3 });
    cluster.edit({ workers: 1 });
    expect(kinds(cluster.pass())).toEqual(["setPlan", "setPlan", "patchStatus"]);
    expect(cluster.pods.map((pod) => planOf(pod).stop)).toEqual([undefined, true, true]);
    expect(shares(cluster)[0]).toEqual({ index: 0, count: 3 });
    cluster.deliver(cluster.pods[1] as never);
    expect(kinds(cluster.plan())).not.toContain("setPlan");
    cluster.converge();
    expect(shares(cluster)[0]).toEqual({ index: 0, count: 1 });
    expect(cluster.live.length).toBe(1);
    expect(cluster.test.status).toMatchObject({ phase: "Running", workers: { desired: 1, ready: 1 } });
  });

  test("and then more again get new Pods for the seats that were given up", () => {
    const cluster = begun({ workers: 2 });
    cluster.edit({ workers: 1 });
    cluster.converge();
    cluster.edit({ workers: 2 });
    cluster.converge();
    expect(cluster.live.map(shortName)).toEqual(["lt-0", "lt-1-1"]);
  });
});

describe("a failed worker", () => {
  test("is replaced after a while, longer each time, and not for ever; its Pod stays with what it left", () => {
    const cluster = begun({ workers: 2 });
    const waits: number[] = [];
    for (let attempt = 0; attempt < 4; attempt++) {
      const failedAtMs = cluster.nowMs;
      cluster.end(cluster.live.find((pod) => shortName(pod).startsWith("lt-1")) as never, "Failed");
      cluster.pass();
      while (created(cluster.plan()).length === 0) cluster.nowMs += 1000;
      waits.push(cluster.nowMs - failedAtMs);
      cluster.converge();
    }
    expect(cluster.live.map(shortName)).toEqual(["lt-0", "lt-1-4"]);
    expect(waits.at(-1)).toBeGreaterThan(waits[0] as number);
    cluster.end(cluster.live[1] as never, "Failed");
    cluster.nowMs += 1e9;
    cluster.pass();
    expect(created(cluster.plan())).toEqual([]);
    expect(cluster.test.status?.phase).toBe("Failed");
    expect(conditionIn(cluster.test, "Complete")?.status).toBe("False");
  });

  test("is not replaced while most have failed, nor once the schedule is over", () => {
    for (const [failures, laterMs] of [
      [3, 600_000],
      [1, 4_000_000],
    ] as const) {
      const cluster = begun({ workers: 4, duration: "1h" });
      for (const pod of cluster.pods.slice(0, failures)) cluster.end(pod, "Failed");
      cluster.nowMs += laterMs;
      expect(created(cluster.plan())).toEqual([]);
    }
  });

  test("of a schedule that is over makes the run a failed one, with what there is", () => {
    const cluster = begun({ workers: 2, duration: "1h" });
    cluster.end(cluster.pods[0] as never, "Succeeded");
    cluster.end(cluster.pods[1] as never, "Failed");
    cluster.nowMs += 3_700_000;
    cluster.pass();
    expect(cluster.test.status?.phase).toBe("Failed");
    expect(conditionIn(cluster.test, "Complete")).toMatchObject({ status: "True", reason: "WorkersFailed" });
    expect(conditionIn(cluster.test, "Passed")).toMatchObject({ status: "Unknown", reason: "ResultsIncomplete" });
    expect(cluster.plan()).toEqual([]);
  });
});

test("no start is told before all have said that they are ready: those that run may be about to fail, and to fail again", () => {
  const cluster = new Cluster(loadTest({ workers: 3 }));
  cluster.pass();
  for (const pod of cluster.pods) cluster.start(pod);
  for (const pod of cluster.pods) {
    cluster.pass();
    expect(cluster.pods.map((one) => planOf(one).startAtMs)).toEqual([undefined, undefined, undefined]);
    expect(nextLookMs(cluster.world(), options, cluster.nowMs)).toBeLessThan(1000);
    cluster.deliver(pod);
  }
  cluster.pass();
  for (const pod of cluster.pods) expect(planOf(pod).startAtMs).toBeGreaterThan(cluster.nowMs);
});

test.each([
  ["4s", 11_999],
  ["100ms", 9_999],
])("workers with a timeout of %s whose logs cannot be read are told a start in the end", (timeout, silentMs) => {
  const cluster = new Cluster(loadTest({ workers: 2, timeout }));
  cluster.pass();
  for (const pod of cluster.pods) cluster.start(pod);
  cluster.nowMs += silentMs;
  cluster.pass();
  expect(cluster.pods.map((pod) => planOf(pod).startAtMs)).toEqual([undefined, undefined]);
  cluster.nowMs += 1;
  cluster.pass();
  for (const pod of cluster.pods) expect(planOf(pod).startAtMs).toBeGreaterThan(cluster.nowMs);
});

test("a worker that was started again is not taken for ready before it says so", () => {
  const cluster = new Cluster(loadTest({ workers: 2 }));
  cluster.pass();
  for (const pod of cluster.pods)
    pod.status = { phase: "Running", containerStatuses: [{ ...running(), restartCount: 1 }] };
  cluster.nowMs += 60_000;
  cluster.pass();
  expect(cluster.pods.map((pod) => planOf(pod).startAtMs)).toEqual([undefined, undefined]);
});

test("nobody is asked whether it is ready as long as another one does not run", () => {
  const cluster = new Cluster(loadTest({ workers: 2 }));
  cluster.pass();
  cluster.start(cluster.pods[0] as Observed<Pod>);
  expect(nextLookMs(cluster.world(), options, cluster.nowMs)).toBeGreaterThan(1000);
});

test("a Pod that somebody deletes is waited for, and then replaced in mid-schedule", () => {
  for (const workers of [1, 3]) {
    const cluster = begun({ workers, duration: "1h" });
    const first = cluster.pods[0] as Observed<Pod>;
    const startAtMs = planOf(first).startAtMs as number;
    first.metadata.deletionTimestamp = "2030-01-01T00:30:00Z";
    expect(created(cluster.plan())).toEqual([]);
    cluster.pods.shift();
    cluster.nowMs += 1_800_000;
    cluster.converge();
    const successor = cluster.pods.find((pod) => planOf(pod).worker.index === 0) as Pod;
    expect(Math.abs((planOf(successor).startAtMs as number) - startAtMs)).toBeLessThan(1000);
    expect(planOf(successor).joinNs as number).toBeGreaterThan(1.8e12);
  }
});

test("a Pod whose plan somebody has spoilt is deleted and replaced", () => {
  const cluster = begun({ workers: 2 });
  (cluster.pods[1] as Observed<Pod>).metadata.annotations = { "beta.kuar.com/plan": "{}" };
  expect(kinds(cluster.pass())).toContain("deletePod");
  cluster.converge();
  expect(cluster.live.length).toBe(2);
});

test("whatever happens to spec and Pods, the load never exceeds the highest rate not yet superseded, and converges", () => {
  const edit = fc.record(
    {
      requestsPerSecond: fc.integer({ min: 1, max: 30_000 }),
      workers: fc.integer({ min: 1, max: 4 }),
      paths: fc.constantFrom<string[]>(["/a"], ["/b"], ["/a", "/c"]),
      arrivals: fc.constantFrom<"Constant" | "Poisson">("Constant", "Poisson"),
      state: fc.constantFrom<"Running" | "Paused">("Running", "Paused"),
    },
    { requiredKeys: [] },
  );
  const events = fc.array(
    fc.oneof(fc.record({ edit }), fc.record({ kill: fc.nat(6) }), fc.record({ fail: fc.nat(6) }), fc.constant({})),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(events, fc.infiniteStream(fc.nat(99)), (history, chances) => {
      const chance = (percent: number) => (chances.next().value as number) < percent;
      const cluster = new Cluster(loadTest({ workers: 2 }));
      let highest = 1000;
      const pass = () => {
        const isQuiet = cluster.pass().length === 0;
        cluster.pods = cluster.pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined || chance(50));
        for (const pod of cluster.pods) {
          if (chance(60)) cluster.start(pod);
          if (chance(60)) cluster.deliver(pod);
        }
        cluster.nowMs += chance(50) ? 300 : 3000;
        expect(loadOf(cluster)).toBeLessThanOrEqual(highest * (1 + 1e-9));
        if (isQuiet && hasSettled(cluster)) highest = cluster.test.spec.requestsPerSecond;
      };
      for (const event of history) {
        if ("edit" in event) cluster.edit(event.edit);
        highest = Math.max(highest, cluster.test.spec.requestsPerSecond);
        if ("kill" in event) cluster.pods.splice(event.kill, 1);
        if ("fail" in event) {
          const failing = cluster.live[event.fail];
          if (failing !== undefined) cluster.end(failing, "Failed");
        }
        pass();
      }
      cluster.pods = cluster.pods.filter(({ status }) => status?.phase !== "Failed"); // what limits repairs
      for (let quiet = 0, passes = 0; quiet < 20 && passes < 300; passes++) {
        const before = JSON.stringify([cluster.pods, cluster.test.status]);
        pass();
        quiet = JSON.stringify([cluster.pods, cluster.test.status]) === before ? quiet + 1 : 0;
      }
      expect(cluster.plan()).toEqual([]);
      expect(cluster.live.length).toBe(cluster.test.spec.workers as number);
      expect(shares(cluster).length).toBeGreaterThanOrEqual(cluster.live.length);
      const { state } = cluster.test.spec;
      expect(loadOf(cluster)).toBeCloseTo(state === "Paused" ? 0 : cluster.test.spec.requestsPerSecond, 6);
    }),
    { numRuns: 200 },
  );
}, 60_000);

/** Whether all workers follow the plans that they have been told, at the rates that these lead to, and none is to go. */
function hasSettled(cluster: Cluster): boolean {
  return cluster.live.every(({ metadata }) => {
    if (metadata.deletionTimestamp !== undefined) return false;
    const told = metadata.annotations?.[planAnnotation] as string;
    const { startAtMs = 0, changes = [] } = JSON.parse(told) as WorkerPlan;
    const sinceStartNs = (cluster.nowMs - startAtMs) * 1e6;
    return cluster.followed.get(metadata.uid) === told && (changes.at(-1)?.atNs ?? 0) <= sinceStartNs;
  });
}

/** Σ of what workers send at this instant by the plans that they follow, requests per second. */
function loadOf(cluster: Cluster): number {
  return cluster.live.reduce((sum, { metadata, status }) => {
    const text = cluster.followed.get(metadata.uid);
    if (text === undefined || status?.phase !== "Running") return sum;
    const plan = JSON.parse(text) as WorkerPlan;
    if (plan.stop || (plan.barrier && plan.startAtMs === undefined)) return sum;
    const sinceStartNs = (cluster.nowMs - (plan.startAtMs ?? cluster.nowMs)) * 1e6;
    if (sinceStartNs < (plan.joinNs ?? 0)) return sum;
    const curve = rateCurve(plan);
    const perSecond = curve === undefined ? 0 : curve.countAt(sinceStartNs + 1e9) - curve.countAt(sinceStartNs);
    return sum + perSecond / plan.worker.count;
  }, 0);
}
