import { expect, test } from "bun:test";
import type { LoadTest, LoadTestSpec } from "../../lib/loadtest/load-test.ts";
import type { Observed, Pod, Service } from "../../lib/plan/objects.ts";
import { plan } from "../../lib/plan/plan.ts";
import type { Action } from "../../lib/plan/world.ts";
import {
  Cluster,
  conditionIn,
  created,
  kinds,
  loadTest,
  nowMs,
  options,
  planOf,
  running,
  service,
  statusIn,
  world,
} from "./cluster.ts";

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
  const cluster = new Cluster(loadTest());
  cluster.converge();
  cluster.nowMs += 60_000;
  expect(cluster.plan()).toEqual([]);
  expect(cluster.test.status?.phase).toBe("Running");
});

test("several workers are told one start, in the future, once all run; a single one when it began", () => {
  for (const workers of [1, 4]) {
    const cluster = new Cluster(loadTest({ workers }));
    cluster.pass();
    expect(kinds(cluster.plan())).not.toContain("setPlan");
    for (const pod of cluster.pods) cluster.start(pod);
    if (workers === 1) expect(kinds(cluster.plan())).not.toContain("setPlan"); // it has yet to say so
    cluster.settle();
    cluster.pass();
    const starts = new Set(cluster.pods.map((pod) => planOf(pod).startAtMs));
    expect([...starts]).toEqual([workers === 1 ? Date.UTC(2030, 0, 1) : nowMs + 1300]);
  }
});

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

test("a changed Canary is told to the workers; who is no backend any more keeps its place, with nothing", () => {
  const cluster = new Cluster(canaried());
  const through = (...backends: { service: string; percent: number }[]) => ({
    ...cluster.world(),
    services,
    canaries: new Map([["ns/split", split(...backends)]]),
  });
  cluster.apply(plan(through({ service: "web", percent: 90 }, { service: "next", percent: 10 }), options, nowMs));
  cluster.settle();
  cluster.apply(plan(through({ service: "next", percent: 100 }), options, nowMs));
  expect(cluster.pods.map((pod) => planOf(pod).backends.map(({ name, percent }) => [name, percent]))).toEqual([
    [
      ["web.ns.svc", 0],
      ["next.ns.svc", 100],
    ],
  ]);
});

test.each<
  [what: string, canary: ReturnType<typeof split> | null, found: Map<string, Observed<Service> | null>, reason: string]
>([
  ["that is not there", null, services, "CanaryNotFound"],
  ["of no list", { spec: { backends: "web" } } as never, services, "CanaryInvalid"],
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

test("while a Service is missing workers go on towards what they know, and follow rates and pauses", () => {
  const cluster = new Cluster(loadTest({ workers: 2 }));
  cluster.converge();
  const [former] = cluster.pods.map(planOf);
  cluster.services = new Map([["ns/web", null]]);
  const plansAfter = (spec: Partial<LoadTest["spec"]>) => {
    cluster.edit(spec);
    cluster.converge();
    return cluster.pods.map(planOf);
  };
  const slower = plansAfter({ requestsPerSecond: 500, paths: ["/other"] });
  expect(slower.map(({ changes }) => changes?.at(-1)?.requestsPerSecond)).toEqual([500, 500]);
  const paused = plansAfter({ state: "Paused" });
  expect(paused.map(({ changes }) => changes?.at(-1)?.paused)).toEqual([true, true]);
  const resumed = plansAfter({ state: "Running" });
  expect(resumed.map(({ changes }) => changes?.at(-1)?.paused)).toEqual([undefined, undefined]);
  expect(resumed.map(({ requests, backends }) => ({ requests, backends }))).toEqual(
    Array(2).fill({ requests: former?.requests, backends: former?.backends }),
  );
  expect(conditionIn(cluster.test, "Accepted")).toMatchObject({ status: "False", reason: "ServiceNotFound" });
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

test("a changed source of tls.caFrom replaces the workers", () => {
  const caFrom = (name: string) => ({ tls: { caFrom: { configMapKeyRef: { name, key: "ca.crt" } } } });
  const cluster = new Cluster(loadTest(caFrom("ca-a")));
  cluster.converge();
  cluster.edit(caFrom("ca-b"));
  cluster.pass();
  expect(planOf(cluster.pods[0] as Pod).stop).toBe(true);
});

test("a start that only some workers were told is told to the others, whether or not the first still run", () => {
  const cluster = new Cluster(loadTest({ workers: 2 }));
  cluster.pass();
  cluster.settle();
  const [first] = cluster.plan().filter(({ kind }) => kind === "setPlan");
  cluster.apply([first as Action]);
  cluster.end(cluster.pods[0] as Observed<Pod>, "Succeeded");
  expect(kinds(cluster.plan())).toContain("setPlan");
});

test("a LoadTest made anew under the same name waits for the Pods of the former one to go", () => {
  const former = new Cluster(loadTest());
  former.pass();
  former.settle();
  const anew = { ...loadTest(), metadata: { ...loadTest().metadata, uid: "u2" } };
  const seen = { ...world([anew], former.pods), goneOwners: new Set(["u1"]) };
  expect(kinds(plan(seen, options, nowMs))).toEqual(["patchStatus", "deletePod"]);
});

test("only Pods whose owner is known to be gone are orphans", () => {
  const [pod] = created(plan(world([loadTest()]), options, nowMs)) as Observed<Pod>[];
  const orphan = { ...pod, metadata: { ...pod?.metadata, uid: "p" } } as Observed<Pod>;
  expect(plan(world([], [orphan]), options, nowMs)).toEqual([]);
  const seen = { ...world([], [orphan]), goneOwners: new Set(["u1"]) };
  expect(kinds(plan(seen, options, nowMs))).toEqual(["deletePod"]);
});
