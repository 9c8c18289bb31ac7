import { expect, test } from "bun:test";
import { parseWorkerPlan } from "../../lib/load/worker-plan.ts";
import { effectiveSpec } from "../../lib/loadtest/defaults.ts";
import type { LoadTest, LoadTestSpec } from "../../lib/loadtest/load-test.ts";
import { planAnnotation } from "../../lib/plan/names.ts";
import type { Observed, Pod, Service } from "../../lib/plan/objects.ts";
import { plan } from "../../lib/plan/plan.ts";
import { fitsPod, workerResources } from "../../lib/plan/pod-settings.ts";

function loadTest(spec: Partial<LoadTestSpec>): LoadTest {
  const creationTimestamp = "2030-01-01T00:00:00Z";
  return {
    metadata: { name: "lt", namespace: "ns", uid: "u1", generation: 1, resourceVersion: "1", creationTimestamp },
    spec: { service: "web", scheme: "https", requestsPerSecond: 10, ...spec },
  };
}

/** The first Pod that is made for it. */
function podOf(spec: Partial<LoadTestSpec>): Pod {
  const service = { metadata: { name: "web" }, spec: { ports: [{ port: 443 }] } } as Observed<Service>;
  const services = new Map([["ns/web", service]]);
  const world = { loadTests: [loadTest(spec)], pods: [], canaries: new Map(), services, goneOwners: new Set<string>() };
  const actions = plan(world, { workerImage: "loadtest:test", maxRequestsPerSecond: 1e6 }, 0);
  return actions.flatMap((action) => (action.kind === "createPod" ? [action.pod] : []))[0] as Pod;
}

const fits = (pod: Partial<LoadTestSpec>, wanted: Partial<LoadTestSpec>) =>
  fitsPod(podOf(pod), effectiveSpec(loadTest(wanted).spec));

test("a template is applied, and what keeps a worker harmless stays as it is", () => {
  const pod = podOf({
    podTemplate: {
      labels: { team: "web" },
      annotations: { note: "a" },
      securityContext: { runAsUser: 1000, fsGroup: 7 },
      serviceAccountName: "puller",
      schedulingGates: [{ name: "wait" }],
      resources: { limits: { cpu: 2 } },
    },
  });
  expect(pod.metadata.labels).toMatchObject({ team: "web", "app.kubernetes.io/name": "loadtest" });
  expect(pod.metadata.annotations).toMatchObject({ note: "a", [planAnnotation]: expect.any(String) as never });
  expect(pod.spec).toMatchObject({
    automountServiceAccountToken: false,
    serviceAccountName: "puller",
    schedulingGates: [{ name: "wait" }],
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 65532,
      fsGroup: 7,
      seccompProfile: { type: "RuntimeDefault" },
    },
  });
  expect(pod.spec).not.toHaveProperty("labels");
  expect(pod.spec).not.toHaveProperty("resources");
  expect(pod.spec.containers[0]?.resources).toEqual({
    requests: { memory: "128Mi" },
    limits: { memory: "512Mi", cpu: 2 },
  });
});

test.each<[template: Parameters<typeof workerResources>[0], resources: object]>([
  [undefined, { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } }],
  [{ limits: { memory: "64Mi" } }, { requests: { cpu: "100m" }, limits: { memory: "64Mi" } }],
  [{ requests: { memory: "1Gi" } }, { requests: { cpu: "100m", memory: "1Gi" }, limits: {} }],
  [
    { requests: { cpu: 1 }, limits: { cpu: 2 } },
    { requests: { memory: "128Mi", cpu: 1 }, limits: { memory: "512Mi", cpu: 2 } },
  ],
])("of the resources %j a default stays only where it cannot contradict", (template, resources) => {
  expect(workerResources(template)).toEqual(resources as never);
});

test("spread constraints count the LoadTest's own workers, unless they say whom", () => {
  const constraint = { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule" as const };
  const labelSelector = { matchLabels: { a: "b" } };
  const { spec } = podOf({
    podTemplate: { topologySpreadConstraints: [constraint, { ...constraint, labelSelector }] },
  });
  expect(spec.topologySpreadConstraints).toEqual([
    { labelSelector: { matchLabels: { "beta.kuar.com/loadtest": "lt" } }, ...constraint },
    { ...constraint, labelSelector },
  ]);
});

const fromSecret = (name: string, key = "token") => ({ secretKeyRef: { name, key } });
const requests = (...names: string[]) => [
  { path: "/", headers: names.map((name) => ({ name: "A", valueFrom: fromSecret(name) })) },
];

test("values from elsewhere are volumes, one for each object, and file names in the plan", () => {
  const pod = podOf({
    tls: {
      caFrom: { configMapKeyRef: { name: "db", key: "ca.crt" } },
      clientCertificateFrom: { secretRef: { name: "client" } },
    },
    requests: [...requests("db", "db"), { path: "/b", method: "POST", bodyFrom: fromSecret("db", "body") }],
  });
  const { volumes = [], containers } = pod.spec;
  expect(volumes.filter(({ name }) => name.startsWith("values-"))).toEqual([
    { name: "values-0", configMap: { name: "db", items: [{ key: "ca.crt", path: "ca.crt" }] } },
    {
      name: "values-1",
      secret: { secretName: "client", items: ["tls.crt", "tls.key"].map((key) => ({ key, path: key })) },
    },
    { name: "values-2", secret: { secretName: "db", items: ["body", "token"].map((key) => ({ key, path: key })) } },
  ]);
  const mounts = containers[0]?.volumeMounts ?? [];
  expect(mounts.filter(({ name }) => name.startsWith("values-"))).toEqual([
    { name: "values-0", mountPath: "/etc/loadtest-values/configmap/db", readOnly: true },
    { name: "values-1", mountPath: "/etc/loadtest-values/secret/client", readOnly: true },
    { name: "values-2", mountPath: "/etc/loadtest-values/secret/db", readOnly: true },
  ]);
  for (const mount of mounts) expect(mount).not.toHaveProperty("subPath");
  const folder = "/etc/loadtest-values/secret";
  const written = parseWorkerPlan(pod.metadata.annotations?.[planAnnotation] as string);
  expect(written.tls).toMatchObject({
    caFiles: ["/etc/loadtest-ca/cluster/ca.crt", "/etc/loadtest-values/configmap/db/ca.crt"],
    clientCertificate: { certFile: `${folder}/client/tls.crt`, keyFile: `${folder}/client/tls.key` },
  });
  expect(written.requests[0]?.headers[0]).toEqual({ name: "A", valueFile: `${folder}/db/token` });
  expect(written.requests[1]).toMatchObject({ bodyFile: `${folder}/db/body` });
});

test("a worker keeps what its next epoch needs in memory, within bounds", () => {
  const { volumes, containers } = podOf({}).spec;
  expect(volumes).toContainEqual({ name: "checkpoint", emptyDir: { medium: "Memory", sizeLimit: "64Mi" } });
  expect(containers[0]?.volumeMounts).toContainEqual({ name: "checkpoint", mountPath: "/var/lib/loadtest" });
});

test.each<[what: string, before: Partial<LoadTestSpec>, after: Partial<LoadTestSpec>, isFit: boolean]>([
  ["another rate and duration", {}, { requestsPerSecond: 20, duration: "10s" }, true],
  ["a template", {}, { podTemplate: { labels: { a: "b" } } }, false],
  ["an empty template", {}, { podTemplate: {} }, true],
  [
    "the same template in another order",
    { podTemplate: { labels: { a: "b", c: "d" }, runtimeClassName: "r" } },
    { podTemplate: { runtimeClassName: "r", labels: { c: "d", a: "b" } } },
    true,
  ],
  ["another Secret", { requests: requests("a") }, { requests: requests("b") }, false],
  ["the same Secret in another place", { requests: requests("a", "b") }, { requests: requests("b", "a", "a") }, true],
])("with %s a Pod fits as it should", (_, before, after, isFit) => {
  expect(fits(before, after)).toBe(isFit);
});

test("a Pod with a form of its own choosing does not fit", () => {
  const pod = podOf({});
  const stranger = { ...pod, metadata: { ...pod.metadata, annotations: {} } };
  expect(fitsPod(stranger, effectiveSpec(loadTest({}).spec))).toBe(false);
});

test("the kubelet ends a Pod after its schedule, the longest start and the last response at the latest", () => {
  const deadlineOf = (spec: Partial<LoadTestSpec>) => podOf(spec).spec.activeDeadlineSeconds;
  expect(deadlineOf({ duration: "1m" })).toBe(60 + 600 + 10 + 60);
  expect(deadlineOf({ duration: "1m", startDeadline: "1s", timeout: "10m" })).toBe(60 + 1 + 600 + 60);
  expect(deadlineOf({})).toBeUndefined();
});
