import { expect, test } from "bun:test";
import fc from "fast-check";
import type { WorkerPlan } from "../../lib/load/worker-plan.ts";
import type { LoadTest, LoadTestSpec } from "../../lib/loadtest/load-test.ts";
import { planAnnotation } from "../../lib/plan/names.ts";
import type { Observed, Pod, Service } from "../../lib/plan/objects.ts";
import { plan } from "../../lib/plan/plan.ts";
import { type Action, objectName, type World } from "../../lib/plan/world.ts";
import { formatTerminationMessage } from "../../lib/stats/termination-message.ts";
import { completed, workerRecording } from "../stats/worker-recordings.ts";
import { ended, termination } from "./finished-pods.ts";

const options = { workerImage: "loadtest:test", maxRequestsPerSecond: 100_000 };
const nowMs = Date.UTC(2030, 0, 1);

const service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "ns" },
  spec: { type: "ClusterIP", ports: [{ port: 443 }, { port: 80 }] },
} as Observed<Service>;

function loadTest(spec: Partial<LoadTestSpec> = {}): LoadTest {
  return {
    metadata: {
      name: "lt",
      namespace: "ns",
      uid: "u1",
      generation: 1,
      resourceVersion: "1",
      creationTimestamp: "2030-01-01T00:00:00Z",
    },
    spec: { service: "web", scheme: "https", requestsPerSecond: 1000, ...spec },
  };
}

function world(loadTests: LoadTest[], pods: Observed<Pod>[] = [], found: Observed<Service> | null = service): World {
  return { loadTests, pods, canaries: new Map(), services: new Map([["ns/web", found]]), goneOwners: new Set() };
}

const kinds = (actions: readonly Action[]) => actions.map(({ kind }) => kind);
const statusIn = (actions: readonly Action[]) =>
  actions.flatMap((a) => (a.kind === "patchStatus" ? [a.status] : []))[0];
const created = (actions: readonly Action[]) => actions.flatMap((a) => (a.kind === "createPod" ? [a.pod] : []));
const planOf = (pod: Pod) => JSON.parse(pod.metadata.annotations?.[planAnnotation] as string) as WorkerPlan;

/** A cluster in a few lines: what the API server, kubelet and garbage collector would make of the actions. */
class Cluster {
  pods: Observed<Pod>[] = [];
  #uids = 0;

  apply(tests: LoadTest[], actions: readonly Action[]): void {
    for (const action of actions) {
      switch (action.kind) {
        case "createPod":
          if (this.pods.some((pod) => objectName(pod) === objectName(action.pod))) throw new Error("AlreadyExists");
          this.pods.push(
            structuredClone({
              ...action.pod,
              metadata: { ...action.pod.metadata, uid: `p${this.#uids++}` },
            }) as Observed<Pod>,
          );
          break;
        case "deletePod":
          for (const pod of this.pods)
            if (pod.metadata.uid === action.uid) pod.metadata.deletionTimestamp = "2030-01-01T00:00:00Z";
          break;
        case "setPlan":
          for (const pod of this.pods) {
            if (pod.metadata.uid === action.uid) pod.metadata.annotations = { [planAnnotation]: action.plan };
          }
          break;
        case "patchStatus":
          for (const test of tests) if (test.metadata.uid === action.uid) test.status = action.status;
      }
    }
  }

  /** Some Pods end, start or go away. */
  step(chance: (percent: number) => boolean): void {
    this.pods = this.pods.filter((pod) => pod.metadata.deletionTimestamp === undefined || chance(50));
    for (const pod of this.pods) {
      if (pod.status === undefined && chance(60)) {
        pod.status = { phase: "Running", containerStatuses: [running()] };
      }
    }
  }
}

function running() {
  return { name: "worker", ready: true, restartCount: 0, state: { running: { startedAt: "2030-01-01T00:00:00Z" } } };
}

function runAll(pods: Observed<Pod>[], phase: "Running" | "Succeeded" = "Running"): Observed<Pod>[] {
  return pods.map((pod) => ({
    ...pod,
    status: { phase, containerStatuses: phase === "Running" ? [running()] : [] },
  }));
}

test("a new LoadTest gets its Pods, named, owned, labeled and restricted", () => {
  const actions = plan(world([loadTest({ workers: 3 })]), options, nowMs);
  expect(kinds(actions)).toEqual(["createPod", "createPod", "createPod", "patchStatus"]);
  const pods = created(actions);
  expect(pods.map(({ metadata }) => metadata.name)).toEqual(
    [0, 1, 2].map((i) => expect.stringMatching(new RegExp(`^lt-[0-9a-f]{8}-${i}$`)) as never),
  );
  expect(pods[0]).toMatchObject({
    metadata: { namespace: "ns", ownerReferences: [{ kind: "LoadTest", uid: "u1", controller: true }] },
    spec: { automountServiceAccountToken: false, restartPolicy: "OnFailure" },
  });
  expect(pods.map((pod) => planOf(pod).worker)).toEqual([0, 1, 2].map((index) => ({ index, count: 3 })));
  expect(statusIn(actions)).toMatchObject({ phase: "Pending", workers: { desired: 3, ready: 0 } });
});

test("a world in order gives no action", () => {
  const test = loadTest();
  const cluster = new Cluster();
  for (let pass = 0; pass < 3; pass++) {
    cluster.apply([test], plan(world([test], cluster.pods), options, nowMs));
    cluster.pods = runAll(cluster.pods);
  }
  expect(plan(world([test], cluster.pods), options, nowMs + 60_000)).toEqual([]);
  expect(test.status?.phase).toBe("Running");
});

test("several workers are told one start, in the future, once all run; a single one when it began", () => {
  for (const workers of [1, 4]) {
    const test = loadTest({ workers });
    const cluster = new Cluster();
    cluster.apply([test], plan(world([test], cluster.pods), options, nowMs));
    expect(kinds(plan(world([test], cluster.pods), options, nowMs))).not.toContain("setPlan");
    cluster.pods = runAll(cluster.pods);
    cluster.apply([test], plan(world([test], cluster.pods), options, nowMs));
    const starts = new Set(cluster.pods.map((pod) => planOf(pod).startAtMs));
    expect([...starts]).toEqual([workers === 1 ? Date.UTC(2030, 0, 1) : nowMs + 2000]);
  }
});

test.each<[change: Partial<LoadTestSpec>]>([[{ requestsPerSecond: 2000 }], [{ paths: ["/b"] }], [{ workers: 2 }]])(
  "after the change %j all old Pods go before a new one comes",
  (change) => {
    const test = loadTest({ workers: 3 });
    const cluster = new Cluster();
    cluster.apply([test], plan(world([test]), options, nowMs));
    cluster.pods = runAll(cluster.pods);
    const changed = { ...test, spec: { ...test.spec, ...change }, metadata: { ...test.metadata, generation: 2 } };
    const first = plan(world([changed], cluster.pods), options, nowMs);
    expect(kinds(first)).toEqual(["deletePod", "deletePod", "deletePod", "patchStatus"]);
    cluster.apply([changed], first);
    expect(created(plan(world([changed], cluster.pods), options, nowMs))).toEqual([]);
    cluster.pods = [];
    expect(created(plan(world([changed]), options, nowMs)).length).toBe(change.workers ?? 3);
  },
);

test.each<[spec: Partial<LoadTestSpec>, found: Observed<Service> | null, reason: string]>([
  [{ requestsPerSecond: 100_001 }, service, "RateAboveLimit"],
  [{ requestsPerSecond: 0 }, service, "Invalid"],
  [{}, null, "ServiceNotFound"],
  [{ port: 444 }, service, "PortNotFound"],
  [{}, { ...service, spec: { type: "ExternalName" } } as Observed<Service>, "TargetNotAllowed"],
])("spec %j with Service %# is not accepted: %3$s", (spec, found, reason) => {
  const actions = plan(world([loadTest(spec)], [], found), options, nowMs);
  expect(created(actions)).toEqual([]);
  expect(statusIn(actions)?.conditions?.find(({ type }) => type === "Accepted")).toMatchObject({
    status: "False",
    reason,
  });
});

const canaried = (): LoadTest => {
  const { service: _, ...spec } = loadTest({ canary: "split" }).spec;
  return { ...loadTest(), spec };
};
const split = (...backends: { service: string; percent: number }[]) => ({
  metadata: { name: "split", namespace: "ns" },
  spec: { backends },
});
const named = (name: string) => ({ ...service, metadata: { ...service.metadata, name } }) as Observed<Service>;
const services = new Map([
  ["ns/web", named("web")],
  ["ns/next", named("next")],
]);

test("a LoadTest with a Canary sends to its backends by their percents, to those with none of them not at all", () => {
  const canary = split(
    { service: "web", percent: 90 },
    { service: "next", percent: 10 },
    { service: "off", percent: 0 },
  );
  const seen = { ...world([canaried()]), services, canaries: new Map([["ns/split", canary]]) };
  const [pod] = created(plan(seen, options, 0));
  expect(planOf(pod as Pod).backends.map(({ name, percent }) => [name, percent])).toEqual([
    ["web.ns.svc", 90],
    ["next.ns.svc", 10],
  ]);
});

test("a changed Canary replaces the workers", () => {
  const canaries = (percent: number) =>
    new Map([["ns/split", split({ service: "web", percent }, { service: "next", percent: 100 - percent })]]);
  const cluster = new Cluster();
  cluster.apply([], plan({ ...world([canaried()]), services, canaries: canaries(90) }, options, 0));
  expect(cluster.pods.length).toBe(1);
  const actions = plan({ ...world([canaried()], cluster.pods), services, canaries: canaries(50) }, options, 0);
  expect(kinds(actions)).toContain("deletePod");
  expect(created(actions)).toEqual([]);
});

test.each<
  [what: string, canary: ReturnType<typeof split> | null, found: Map<string, Observed<Service> | null>, reason: string]
>([
  ["that is not there", null, services, "CanaryNotFound"],
  ["of 90 and 20", split({ service: "web", percent: 90 }, { service: "next", percent: 20 }), services, "CanaryInvalid"],
  [
    "with a backend that is not there",
    split({ service: "web", percent: 90 }, { service: "gone", percent: 10 }),
    new Map([...services, ["ns/gone", null]]),
    "ServiceNotFound",
  ],
])("a LoadTest with a Canary %s is not accepted", (_, canary, found, reason) => {
  const actions = plan(
    { ...world([canaried()]), services: found, canaries: new Map([["ns/split", canary]]) },
    options,
    0,
  );
  expect(created(actions)).toEqual([]);
  expect(statusIn(actions)?.conditions?.[0]).toMatchObject({ type: "Accepted", status: "False", reason });
});

test("a LoadTest whose workers have all ended is finished, and stays so without Pods", () => {
  const test = loadTest({ duration: "10s" });
  const cluster = new Cluster();
  cluster.apply([test], plan(world([test]), options, nowMs));
  cluster.pods = runAll(cluster.pods, "Succeeded");
  cluster.apply([test], plan(world([test], cluster.pods), options, nowMs));
  expect(test.status).toMatchObject({ phase: "Finished", workers: { desired: 0, ready: 0 } });
  expect(plan(world([test]), options, nowMs + 1e6)).toEqual([]);
});

/** A test of 2 s that has run, and its Pods. */
function started(spec: Partial<LoadTestSpec> = {}): { test: LoadTest; cluster: Cluster } {
  const test = loadTest({ duration: "2s", workers: 2, ...spec });
  const cluster = new Cluster();
  for (let pass = 0; pass < 3; pass++) {
    cluster.apply([test], plan(world([test], cluster.pods), options, nowMs));
    cluster.pods = runAll(cluster.pods);
  }
  return { test, cluster };
}

/** How a worker ends that has sent its half of 2000 requests, each answered after 3 ms. */
const half = (worker: number) =>
  termination(formatTerminationMessage(workerRecording(worker, [[completed(Array(1000).fill(3e6))]])));
const conditionIn = (test: LoadTest, type: string) => test.status?.conditions?.find((one) => one.type === type);

test.each<[limit: string, status: "True" | "False", reason: string]>([
  ["10ms", "True", "ThresholdsKept"],
  ["1ms", "False", "ThresholdsBroken"],
])(
  "a finished test with p99 limited to %s has results, is Passed=%s, and is not written again",
  (p99, status, reason) => {
    const { test, cluster } = started({ thresholds: { latency: { p99 } } });
    expect(conditionIn(test, "Passed")).toMatchObject({ status: "Unknown", reason: "InProgress" });
    expect(test.status?.results).toBeUndefined();
    cluster.pods = cluster.pods.map((pod, worker) => ended(pod, "Succeeded", half(worker)));
    const actions = plan(world([test], cluster.pods), options, nowMs + 10_000);
    expect(kinds(actions)).toEqual(["patchStatus"]);
    cluster.apply([test], actions);
    expect(test.status).toMatchObject({ phase: "Finished", display: { rps: "1000", errors: "0%", p99: "3ms" } });
    expect(test.status?.results).toMatchObject({
      scheduled: 2000,
      completed: 2000,
      valid: true,
      passed: status === "True",
    });
    expect(conditionIn(test, "Passed")).toMatchObject({ status, reason });
    // As the API server stores it: without anything that JSON does not have.
    expect(JSON.parse(JSON.stringify(test.status))).toEqual(test.status as never);
    expect(JSON.stringify(test.status)).not.toContain("null");
    for (const pods of [cluster.pods, cluster.pods.slice(1), []]) {
      expect(plan(world([test], pods), options, nowMs + 60_000)).toEqual([]);
    }
  },
);

test("a verdict stays as it was given, when Pods go and thresholds change", () => {
  const { test, cluster } = started();
  cluster.pods = cluster.pods.map((pod, worker) => ended(pod, "Succeeded", half(worker)));
  cluster.apply([test], plan(world([test], cluster.pods), options, nowMs + 10_000));
  const { conditions: _, observedGeneration: __, ...before } = test.status ?? {};
  const passed = conditionIn(test, "Passed");
  test.spec.thresholds = { latency: { p99: "1ms" } };
  test.metadata.generation = 2;
  for (const pods of [cluster.pods, []]) {
    cluster.apply([test], plan(world([test], pods), options, nowMs + 20_000));
    expect(test.status).toMatchObject(before);
    expect(conditionIn(test, "Passed")).toEqual(passed);
    expect(plan(world([test], pods), options, nowMs + 30_000)).toEqual([]);
  }
});

test("a finished test of before there were results gets them from its Pods, or an unknown verdict without", () => {
  for (const areThere of [true, false]) {
    const { test, cluster } = started();
    cluster.pods = cluster.pods.map((pod, worker) => ended(pod, "Succeeded", half(worker)));
    cluster.apply([test], plan(world([test], cluster.pods), options, nowMs + 10_000));
    const { results: _, display: __, conditions = [], ...status } = test.status ?? {};
    test.status = { ...status, conditions: conditions.filter(({ type }) => type !== "Passed") };
    const pods = areThere ? cluster.pods : [];
    cluster.apply([test], plan(world([test], pods), options, nowMs + 20_000));
    expect(test.status?.results?.completed).toBe(areThere ? 2000 : undefined);
    expect(conditionIn(test, "Passed")?.reason).toBe(areThere ? "ThresholdsKept" : "ResultsIncomplete");
    expect(plan(world([test], pods), options, nowMs + 30_000)).toEqual([]);
  }
});

test("a worker that ran again counts once, with what its first epoch told", () => {
  const { test, cluster } = started();
  const again = completed(Array(400).fill(3e6));
  again.account = { ...again.account, scheduled: 1000, lost: 600 };
  const first = completed(Array(600).fill(3e6));
  const epochs = [first, again].map((recording) =>
    termination(formatTerminationMessage(workerRecording(0, [[recording]]))),
  );
  cluster.pods = cluster.pods.map((pod, worker) => ended(pod, "Succeeded", ...(worker === 0 ? epochs : [half(1)])));
  cluster.apply([test], plan(world([test], cluster.pods), options, nowMs + 10_000));
  expect(test.status?.results).toMatchObject({ scheduled: 2000, completed: 2000, lost: 0 });
});

test("a failed worker is waited for until the schedule is over; then the test has failed, with what there is", () => {
  const { test, cluster } = started();
  cluster.pods = cluster.pods.map((pod, worker) =>
    worker === 0 ? ended(pod, "Failed") : ended(pod, "Succeeded", half(1)),
  );
  cluster.apply([test], plan(world([test], cluster.pods), options, nowMs + 1000));
  expect(test.status?.phase).toBe("Failed");
  expect(conditionIn(test, "Complete")).toMatchObject({ status: "False" });
  cluster.apply([test], plan(world([test], cluster.pods), options, nowMs + 10_000));
  expect(test.status).toMatchObject({ phase: "Failed", results: { scheduled: 2000, completed: 1000, lost: 1000 } });
  expect(conditionIn(test, "Complete")).toMatchObject({ status: "True", reason: "WorkersFailed" });
  expect(conditionIn(test, "Passed")).toMatchObject({
    status: "Unknown",
    reason: "ResultsIncomplete",
    message: "Worker 0 left no result: nothing is known of 1000 requests that were due.",
  });
  for (const pods of [cluster.pods, []]) expect(plan(world([test], pods), options, nowMs + 20_000)).toEqual([]);
});

test("a failed worker of a load without end leaves the test to whoever deletes its Pod", () => {
  const { test, cluster } = started();
  delete test.spec.duration;
  cluster.pods = [];
  for (let pass = 0; pass < 3; pass++) {
    cluster.apply([test], plan(world([test], cluster.pods), options, nowMs));
    cluster.pods = runAll(cluster.pods);
  }
  const [first, second] = cluster.pods as [Observed<Pod>, Observed<Pod>];
  cluster.pods = [ended(first, "Failed"), second];
  cluster.apply([test], plan(world([test], cluster.pods), options, nowMs + 1e9));
  expect(test.status?.phase).toBe("Failed");
  cluster.pods = [second];
  expect(created(plan(world([test], cluster.pods), options, nowMs + 1e9)).length).toBe(1);
});

test("what a worker said when it failed is in the condition", () => {
  const test = loadTest();
  const [pod] = created(plan(world([test]), options, nowMs)) as Observed<Pod>[];
  const terminated = { exitCode: 1, message: "Cannot connect" };
  const status = {
    containerStatuses: [
      { ...running(), state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: { terminated } },
    ],
  };
  const actions = plan(world([test], [{ ...(pod as Observed<Pod>), status }]), options, nowMs);
  const condition = statusIn(actions)?.conditions?.find(({ type }) => type === "WorkersReady");
  expect(condition).toMatchObject({
    reason: "WorkerFailed",
    message: expect.stringContaining("Cannot connect") as never,
  });
});

test("a changed source of tls.caFrom replaces the Pods", () => {
  const caFrom = (name: string) => ({ tls: { caFrom: { configMapKeyRef: { name, key: "ca.crt" } } } });
  const test = loadTest(caFrom("ca-a"));
  const cluster = new Cluster();
  cluster.apply([test], plan(world([test]), options, nowMs));
  cluster.pods = runAll(cluster.pods);
  Object.assign(test.spec, caFrom("ca-b"));
  expect(kinds(plan(world([test], cluster.pods), options, nowMs))).toContain("deletePod");
});

test("a terminating Pod takes no other with it, and its successor begins in mid-schedule", () => {
  for (const workers of [1, 3]) {
    const test = loadTest({ workers, duration: "1h" });
    const cluster = new Cluster();
    for (let pass = 0; pass < 3; pass++) {
      cluster.apply([test], plan(world([test], cluster.pods), options, nowMs));
      cluster.pods = runAll(cluster.pods);
    }
    const startAtMs = planOf(cluster.pods[0] as Pod).startAtMs as number;
    (cluster.pods[0] as Observed<Pod>).metadata.deletionTimestamp = "2030-01-01T00:30:00Z";
    const meanwhile = plan(world([test], cluster.pods), options, nowMs + 1);
    expect(kinds(meanwhile).filter((kind) => kind !== "patchStatus")).toEqual([]);
    cluster.pods.shift();
    const [successor] = created(plan(world([test], cluster.pods), options, nowMs + 2));
    expect(Math.abs((planOf(successor as Pod).startAtMs as number) - startAtMs)).toBeLessThan(1000);
  }
});

test("a start that only some workers were told is told to the others, whether or not the first still run", () => {
  const test = loadTest({ workers: 2 });
  const cluster = new Cluster();
  cluster.apply([test], plan(world([test]), options, nowMs));
  cluster.pods = runAll(cluster.pods);
  const [first] = plan(world([test], cluster.pods), options, nowMs).filter(({ kind }) => kind === "setPlan");
  cluster.apply([test], [first as Action]);
  cluster.pods = [...runAll(cluster.pods.slice(0, 1), "Succeeded"), ...cluster.pods.slice(1)];
  expect(kinds(plan(world([test], cluster.pods), options, nowMs))).toContain("setPlan");
});

test("a LoadTest made anew under the same name waits for the Pods of the former one to go", () => {
  const former = new Cluster();
  former.apply([], plan(world([loadTest()]), options, nowMs));
  const anew = { ...loadTest(), metadata: { ...loadTest().metadata, uid: "u2" } };
  const seen = { ...world([anew], runAll(former.pods)), goneOwners: new Set(["u1"]) };
  expect(kinds(plan(seen, options, nowMs))).toEqual(["patchStatus", "deletePod"]);
});

test("only Pods whose owner is known to be gone are orphans", () => {
  const [pod] = created(plan(world([loadTest()]), options, nowMs)) as Observed<Pod>[];
  const orphan = { ...pod, metadata: { ...pod?.metadata, uid: "p" } } as Observed<Pod>;
  expect(plan(world([], [orphan]), options, nowMs)).toEqual([]);
  const seen = { ...world([], [orphan]), goneOwners: new Set(["u1"]) };
  expect(kinds(plan(seen, options, nowMs))).toEqual(["deletePod"]);
});

test("whatever happens to spec and Pods, load never exceeds the spec and the world converges", () => {
  const specs = fc.record({
    requestsPerSecond: fc.integer({ min: 1, max: 30_000 }),
    workers: fc.integer({ min: 1, max: 4 }),
  });
  const events = fc.array(fc.oneof(fc.record({ edit: specs }), fc.record({ kill: fc.nat(3) }), fc.constant({})), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(events, fc.infiniteStream(fc.nat(99)), (history, chances) => {
      const chance = (percent: number) => (chances.next().value as number) < percent;
      const test = loadTest({ workers: 2 });
      const cluster = new Cluster();
      const pass = () => {
        cluster.apply([test], plan(world([test], cluster.pods), options, nowMs));
        // Σ of the shares that Pods hold, going ones included: all of one plan, each share once.
        const plans = cluster.pods.map(planOf);
        expect(
          new Set(plans.map(({ requestsPerSecond, worker }) => `${requestsPerSecond}/${worker.count}`)).size,
        ).toBeLessThanOrEqual(1);
        expect(new Set(plans.map(({ worker }) => worker.index)).size).toBe(plans.length);
        cluster.step(chance);
      };
      for (const event of history) {
        if ("edit" in event) {
          Object.assign(test.spec, event.edit);
          test.metadata.generation++;
        }
        if ("kill" in event) cluster.pods.splice(event.kill, 1);
        pass();
      }
      for (let i = 0; i < 200; i++) pass();
      expect(cluster.pods.length).toBe(test.spec.workers as number);
      expect(plan(world([test], cluster.pods), options, nowMs)).toEqual([]);
    }),
    { numRuns: 300 },
  );
}, 60_000);
