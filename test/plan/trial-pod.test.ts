import { expect, test } from "bun:test";
import { effectiveSpec } from "../../lib/loadtest/defaults.ts";
import type { LoadTest, LoadTestSpec } from "../../lib/loadtest/load-test.ts";
import type { Observed, Service } from "../../lib/plan/objects.ts";
import { plan } from "../../lib/plan/plan.ts";
import { isPodRefusal, trialPod } from "../../lib/plan/trial-pod.ts";
import { isWorkerPod, type World } from "../../lib/plan/world.ts";

const name = "x".repeat(45);
const labeled = { podTemplate: { labels: { a: "b" } } };

function loadTest(spec: Partial<LoadTestSpec> = {}): LoadTest {
  const creationTimestamp = "2030-01-01T00:00:00Z";
  return {
    metadata: { name, namespace: "ns", uid: "u1", generation: 1, resourceVersion: "1", creationTimestamp },
    spec: { service: "web", scheme: "https", requestsPerSecond: 10, ...spec },
  };
}

const trial = (spec: Partial<LoadTestSpec>) => trialPod(loadTest(spec), effectiveSpec(loadTest(spec).spec), "image");

test("only a LoadTest with a podTemplate needs a trial, under a name that is a label and no worker's", () => {
  expect(trial({})).toBeUndefined();
  expect(trial({ podTemplate: {} })).toBeUndefined();
  const pod = trial(labeled);
  expect(pod?.metadata.labels).toMatchObject({ a: "b" });
  expect(pod?.metadata.name).toMatch(/^x{45}-[0-9a-f]{8}-dry-run$/);
  expect(pod?.metadata.name.length).toBeLessThanOrEqual(63);
  expect(pod && isWorkerPod(pod)).toBe(false);
});

test.each([
  [422, 'Pod "a" is invalid: spec.tolerations[0].key: Required value', true],
  [403, 'pods "a" is forbidden: no PriorityClass with name nonesuch was found', true],
  [403, 'pods "a" is forbidden: exceeded quota: few', false],
  [403, 'admission webhook "x" denied the request: no label', true],
  [403, 'pods "a" is forbidden: unable to create new content in namespace ns because it is being terminated', false],
  [403, 'pods is forbidden: User "x" cannot create resource "pods" in API group "" in the namespace "ns"', false],
  [400, 'admission webhook "x" does not support dry run', false],
  [500, "internal error", false],
])("an answer of %d %s is about the Pod: %p", (code, words, isRefusal) => {
  expect(isPodRefusal({ code, said: words })).toBe(isRefusal);
});

test("a refused trial is said in the condition, and no Pod is made until it passes", () => {
  const service = { metadata: { name: "web" }, spec: { ports: [{ port: 443 }] } } as Observed<Service>;
  const test = loadTest(labeled);
  const world: World = {
    loadTests: [test],
    pods: [],
    canaries: new Map(),
    services: new Map([["ns/web", service]]),
    goneOwners: new Set(),
  };
  const options = { workerImage: "image", maxRequestsPerSecond: 1e6 };
  const refused = plan({ ...world, podRefusals: new Map([["u1", "no such class"]]) }, options, 0);
  expect(refused).toMatchObject([{ kind: "patchStatus" }]);
  const status = refused.flatMap((action) => (action.kind === "patchStatus" ? [action.status] : []))[0];
  expect(status?.conditions?.find(({ type }) => type === "Accepted")).toMatchObject({
    status: "False",
    reason: "PodTemplateInvalid",
    message: "spec.podTemplate: no such class",
  });
  const long = plan({ ...world, podRefusals: new Map([["u1", `\u001b[31m${"€".repeat(40_000)}`]]) }, options, 0);
  const [words] = long.flatMap((action) => (action.kind === "patchStatus" ? (action.status.conditions ?? []) : []));
  expect(words?.message).toStartWith("spec.podTemplate: [31m€");
  expect(Buffer.byteLength(words?.message ?? "")).toBeLessThanOrEqual(4096);
  expect(plan(world, options, 0).map(({ kind }) => kind)).toContain("createPod");
});
