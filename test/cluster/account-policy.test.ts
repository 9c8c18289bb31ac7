// What the controller's account may not do though it has the right to: policies on a real API server, by objects that are
// just what the planner makes, and by the same with one thing changed.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { LoadTest } from "../../lib/loadtest/load-test.ts";
import type { PodTemplate } from "../../lib/loadtest/pod-template.ts";
import { desiredMetricsService } from "../../lib/plan/metrics-service.ts";
import type { KubeObject, Observed, Pod, Service } from "../../lib/plan/objects.ts";
import { plan } from "../../lib/plan/plan.ts";
import { extensionNamespace, installKinds, objectsIn, removeExtension } from "./extension.ts";
import { documentsOf, eventually, kubeconfig, kubectl, kubectlJson, type Outcome, tryKubectl } from "./kubectl.ts";

const namespace = "loadtest-account";
const inNamespace = ["-n", namespace];
const asController = ["--as", `system:serviceaccount:${extensionNamespace}:loadtest`];

const podTemplate: PodTemplate = {
  labels: { team: "web" },
  annotations: { note: "a" },
  resources: { requests: { cpu: "50m" }, limits: { memory: "256Mi" } },
  nodeSelector: { "kubernetes.io/os": "linux" },
  tolerations: [{ operator: "Exists" }],
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "web" } } },
      ],
    },
  },
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "ScheduleAnyway" },
  ],
  serviceAccountName: "other",
  imagePullSecrets: [{ name: "registry" }],
  securityContext: { runAsUser: 1234, fsGroup: 7, supplementalGroups: [8], seLinuxOptions: { level: "s0" } },
  schedulingGates: [{ name: "example.com/wait" }],
};
const loadTest: LoadTest = {
  metadata: {
    name: "lt",
    namespace,
    uid: "7b8e7d5c-0000-4000-8000-000000000000",
    generation: 1,
    resourceVersion: "1",
    creationTimestamp: "2030-01-01T00:00:00Z",
  },
  spec: {
    service: "web",
    scheme: "https",
    requestsPerSecond: 10,
    duration: "5s",
    requests: [{ path: "/", bodyFrom: { configMapKeyRef: { name: "values", key: "body" } } }],
    tls: { clientCertificateFrom: { secretRef: { name: "web" } } },
  },
};

/** The first Pod that is made for it. */
function workerPod(template?: PodTemplate): Pod {
  const spec = { ...loadTest.spec, ...(template === undefined ? {} : { podTemplate: template }) };
  const web = { metadata: { name: "web" }, spec: { ports: [{ port: 443 }] } } as Observed<Service>;
  const services = new Map([[`${namespace}/web`, web]]);
  const world = {
    loadTests: [{ ...loadTest, spec }],
    pods: [],
    canaries: new Map(),
    services,
    goneOwners: new Set<string>(),
  };
  const actions = plan(world, { workerImage: "localhost/loadtest:dev", maxRequestsPerSecond: 1e6 }, 0);
  return actions.flatMap((action) => (action.kind === "createPod" ? [action.pod] : []))[0] as Pod;
}

const worker = workerPod();
const container = worker.spec.containers[0] as Pod["spec"]["containers"][number];
const portless = { ...container, ports: undefined }; // in the node's network, its ports are the node's
const service = desiredMetricsService(loadTest);
const withPod = (changes: object) => ({ ...worker, spec: { ...worker.spec, ...changes } });
const withVolume = (source: object) => withPod({ volumes: [...(worker.spec.volumes ?? []), { name: "v", ...source }] });
const withContainer = (changes: object) => withPod({ containers: [{ ...container, ...changes }] });
const withPrivilege = (changes: object) =>
  withContainer({ securityContext: { ...container.securityContext, ...changes } });
const withService = (changes: object) => ({ ...service, spec: { ...service.spec, ...changes } });
const withMetadata = (object: KubeObject, changes: object) => ({
  ...object,
  metadata: { ...object.metadata, ...changes },
});
const ownerless = { ownerReferences: undefined };
const ownedByDeployment = {
  ownerReferences: [{ apiVersion: "apps/v1", kind: "Deployment", name: "lt", uid: "u", controller: true }],
};
const check = { httpGet: { path: "/", port: 80, host: "victim" } };

const refusedCreations: [what: string, object: object, words: string][] = [
  ["another image", withContainer({ image: "localhost/other" }), "must run localhost/loadtest:dev"],
  ["an init container", withPod({ initContainers: [{ ...container, name: "init" }] }), "nothing else"],
  ["a second container", withPod({ containers: [container, { ...container, name: "b", image: "b" }] }), "nothing else"],
  ["a command", withContainer({ command: ["/loadtest", "run", "http://victim"] }), "must be workers"],
  ["another subcommand", withContainer({ args: ["run", "http://victim", "--rate", "max"] }), "must be workers"],
  ["no arguments", withContainer({ args: undefined }), "must be workers"],
  ["a variable", withContainer({ env: [{ name: "NODE_OPTIONS", value: "x" }] }), "an environment of their own"],
  ["a Secret as variables", withContainer({ envFrom: [{ secretRef: { name: "s" } }] }), "an environment of their own"],
  [
    "a hook",
    withContainer({ lifecycle: { preStop: { exec: { command: ["/loadtest", "run"] } } } }),
    "none of lifecycle",
  ],
  ["a liveness probe", withContainer({ livenessProbe: check }), "livenessProbe"],
  ["a readiness probe", withContainer({ readinessProbe: check }), "readinessProbe"],
  ["a startup probe", withContainer({ startupProbe: check }), "startupProbe"],
  ["a port of the node", withContainer({ ports: [{ containerPort: 9090, hostPort: 9090 }] }), "no ports of the node"],
  ["a token", withPod({ automountServiceAccountToken: true }), "no token"],
  ["another's token", withPod({ serviceAccountName: "other", automountServiceAccountToken: true }), "no token"],
  ["the node's files", withVolume({ hostPath: { path: "/" } }), "the volumes must be"],
  ["a projected token", withVolume({ projected: { sources: [] } }), "the volumes must be"],
  ["the node's network", withPod({ hostNetwork: true, containers: [portless] }), "namespaces of its own"],
  ["root, perhaps", withPod({ securityContext: { runAsNonRoot: false } }), "a user other than root"],
  ["root", withPrivilege({ runAsUser: 0 }), "no privileges"],
  ["a capability", withPrivilege({ capabilities: { drop: ["ALL"], add: ["NET_RAW"] } }), "no privileges"],
  ["a file system to write to", withPrivilege({ readOnlyRootFilesystem: false }), "read only"],
  ["a Pod of nobody", withMetadata(worker, ownerless), "loadtest-worker-pods"],
  ["a Pod of a Deployment", withMetadata(worker, ownedByDeployment), "must belong to a LoadTest"],
  ["an address", withService({ clusterIP: undefined }), "must be headless"],
  ["a port of all nodes", withService({ clusterIP: undefined, type: "NodePort" }), "must be headless"],
  ["a load balancer", withService({ clusterIP: undefined, type: "LoadBalancer" }), "must be headless"],
  [
    "another's name",
    withService({ clusterIP: undefined, type: "ExternalName", externalName: "victim", selector: undefined }),
    "must be headless",
  ],
  ["external addresses", withService({ externalIPs: ["192.0.2.1"] }), "no external addresses"],
  ["a Service over others' Pods", withService({ selector: { app: "web" } }), "must select the workers"],
  ["a Service without selector", withService({ selector: undefined }), "must select the workers"],
  ["a Service of nobody", withMetadata(service, ownerless), "loadtest-worker-services"],
  ["a Service of a Deployment", withMetadata(service, ownedByDeployment), "must belong to a LoadTest"],
];

function tryCreate(object: object): Promise<Outcome> {
  return tryKubectl(["create", "--dry-run=server", ...asController, ...inNamespace, "-f", "-"], JSON.stringify(object));
}

function tryDelete(what: string): Promise<Outcome> {
  return tryKubectl(["delete", what, "--dry-run=server", "--wait=false", ...asController, ...inNamespace]);
}

const refused = (words: string) => ({ code: 1, err: expect.stringContaining(words) as never });

describe.skipIf(kubeconfig === "")("the policies on the controller's account", () => {
  beforeAll(async () => {
    await installKinds();
    const applied = objectsIn("controller").filter(({ kind }) => kind !== "Deployment");
    await kubectl(["apply", "-f", "-"], documentsOf(applied));
    await kubectl(["create", "namespace", namespace]);
    await kubectl(["create", "serviceaccount", "other", ...inNamespace]);
    // Somebody else's, and ones like the controller's own, which the garbage collector takes away if they have an owner.
    const gated = { ...worker.spec, schedulingGates: [{ name: "example.com/wait" }] };
    const theirs = [
      { ...withMetadata(worker, { name: "theirs", labels: undefined, ...ownerless }), spec: gated },
      { ...withMetadata(worker, { name: "orphan", ...ownerless }), spec: gated },
      withMetadata(service, { name: "theirs", ...ownerless }),
    ];
    await kubectl(["create", ...inNamespace, "-f", "-"], documentsOf(theirs));
    await eventually(
      () => Promise.all([withMetadata(worker, ownerless), withMetadata(service, ownerless)].map(tryCreate)),
      (outcomes) => outcomes.every(({ code }) => code === 1), // they are at work a moment after they were made
    );
    await eventually(
      () => tryDelete("pod/theirs"),
      ({ code }) => code === 1,
    );
  }, 120_000);

  afterAll(() => removeExtension(namespace), 120_000);

  test("it can make worker Pods, whatever their template asks for, and their Service", async () => {
    expect(await tryCreate(worker)).toMatchObject({ code: 0 });
    expect(await tryCreate(workerPod(podTemplate))).toMatchObject({ code: 0 });
    expect(await tryCreate(service)).toMatchObject({ code: 0 });
  }, 60_000);

  test.each(refusedCreations)("it may not make what is not its own: %s", async (_, object, words) => {
    expect(await tryCreate(object)).toMatchObject(refused(words));
  });

  test("it can change no Pod that is not a worker", async () => {
    const patch = [
      "--type=json",
      "-p",
      '[{"op":"add","path":"/metadata/labels","value":{"beta.kuar.com/loadtest":"a"}}]',
    ];
    const flags = ["--dry-run=server", ...asController, ...inNamespace];
    expect(await tryKubectl(["patch", "pod", "theirs", ...flags, ...patch])).toMatchObject(
      refused("loadtest-worker-pods"),
    );
  });

  test("it can delete worker Pods, those without an owner too, and no others", async () => {
    expect(await tryDelete("pod/orphan")).toMatchObject({ code: 0 });
    expect(await tryDelete("pod/theirs")).toMatchObject(refused("must be a worker"));
  });

  test("it can delete the Services of LoadTests and no others", async () => {
    expect(await tryDelete("service/theirs")).toMatchObject(refused("loadtest-worker-services"));
    const object = { apiVersion: "beta.kuar.com/v1", kind: "LoadTest", metadata: { name: "lt" }, spec: loadTest.spec };
    await kubectl(["create", ...inNamespace, "-f", "-"], JSON.stringify(object));
    const owned = desiredMetricsService(await kubectlJson<LoadTest>(["get", "lt", "lt", ...inNamespace]));
    await kubectl(["create", ...inNamespace, "-f", "-"], JSON.stringify(owned));
    expect(await tryDelete(`service/${owned.metadata.name}`)).toMatchObject({ code: 0 });
  });
});
