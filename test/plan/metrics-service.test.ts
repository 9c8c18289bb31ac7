import { expect, test } from "bun:test";
import { effectiveSpec } from "../../lib/loadtest/defaults.ts";
import type { LoadTest } from "../../lib/loadtest/load-test.ts";
import { compileWorkerPlans } from "../../lib/plan/compile.ts";
import { desiredMetricsService, metricsServiceActions, metricsServiceName } from "../../lib/plan/metrics-service.ts";
import { workerPod } from "../../lib/plan/worker-pod.ts";
import type { Action } from "../../lib/plan/world.ts";

const loadTest: LoadTest = {
  metadata: {
    name: "0".repeat(45),
    namespace: "ns",
    uid: "u1",
    generation: 1,
    resourceVersion: "1",
    creationTimestamp: "2030-01-01T00:00:00Z",
  },
  spec: { service: "web", scheme: "http", requestsPerSecond: 10, duration: "10s" },
};
const spec = effectiveSpec(loadTest.spec);
const target = { backends: [], tls: { caFiles: [], insecure: false } };
const [plan] = compileWorkerPlans(spec, target, { generation: 1, pacing: "relaxed", seed: 1 });
const pod = workerPod(loadTest, spec, plan as NonNullable<typeof plan>, {
  run: "0f3a92bc",
  attempt: 0,
  image: "image",
});

const patchStatus = (phase: "Starting" | "Running" | "Finished"): Extract<Action, { kind: "patchStatus" }> => {
  const common = { reason: "r", message: "m", lastTransitionTime: "t", observedGeneration: 1 };
  const status = phase === "Finished" ? "True" : "False";
  const conditions = [{ type: "Complete", status, ...common } as const];
  return {
    kind: "patchStatus",
    namespace: "ns",
    name: loadTest.metadata.name,
    uid: "u1",
    version: "7",
    status: { phase, conditions, ...(phase === "Starting" ? {} : { startTime: "2030-01-01T00:00:00Z" }) },
  };
};

test("the longest name with a digit first makes an RFC 1035 label, and another LoadTest of the name another one", () => {
  expect(metricsServiceName(loadTest.metadata.name, "u1")).toMatch(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
  expect(metricsServiceName("a", "u1")).not.toBe(metricsServiceName("a", "u2"));
});

test("the Service is headless, owned by the LoadTest, and selects its Pods", () => {
  const { metadata, spec } = desiredMetricsService(loadTest);
  expect(metadata.ownerReferences).toEqual(pod.metadata.ownerReferences as never);
  expect(spec).toMatchObject({ clusterIP: "None", publishNotReadyAddresses: true });
  expect(pod.metadata.labels).toMatchObject(spec.selector as never);
});

test.each<[before: "Starting" | "Running" | "Finished", after: "Starting" | "Running" | "Finished", string[]]>([
  ["Starting", "Starting", []],
  ["Starting", "Running", ["createService"]],
  ["Running", "Running", []],
  ["Running", "Finished", ["deleteService"]],
  ["Starting", "Finished", ["deleteService"]],
  ["Finished", "Finished", []],
])("what becomes of it from %s to %s", (before, after, wanted) => {
  const actions = metricsServiceActions({ ...loadTest, status: patchStatus(before).status }, [patchStatus(after)]);
  expect(actions.map(({ kind }) => kind)).toEqual(wanted as never);
});

test("nothing becomes of it when there is nothing to say of the LoadTest", () => {
  expect(metricsServiceActions(loadTest, [{ kind: "createPod", pod, cause: "first" }])).toEqual([]);
});
