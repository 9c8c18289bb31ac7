// What is rendered keeps the rules that linters of manifests know, and each of the rules finds what breaks it.
import { describe, expect, test } from "bun:test";
import { parseAllDocuments } from "yaml";
import type { WorkerPlan } from "../../lib/load/worker-plan.ts";
import { effectiveSpec } from "../../lib/loadtest/defaults.ts";
import type { LoadTest } from "../../lib/loadtest/load-test.ts";
import { extensionSteps, type Placement } from "../../lib/manifest/extension.ts";
import { renderManifests } from "../../lib/manifest/render.ts";
import { sampleLoadTest, sampleWorkerPods } from "../../lib/manifest/sample.ts";
import { workerPod } from "../../lib/plan/worker-pod.ts";
import { type AnyObject, rules } from "./rules.ts";

const image = "localhost/loadtest:dev";
const files = Object.entries(renderManifests())
  .filter(([path]) => path.endsWith(".yaml"))
  .map(([path, text]) => [`manifests/${path}`, parseAllDocuments(text).map((document) => document.toJS())] as const);
const placements: Placement[] = [
  { kind: "cluster" },
  { kind: "namespaced", namespace: "mine" },
  { kind: "outOfCluster", url: "https://192.0.2.7:8443" },
];
const installed = placements.map((placement) => {
  const steps = extensionSteps({ image, replicas: 2, placement });
  return [`what is installed ${placement.kind}`, steps.flatMap((step) => step.objects)] as const;
});
const workers = [sampleLoadTest, sampleWorkerPods].map((sample) => {
  const loadTest = { ...sample, metadata: { ...sample.metadata, namespace: "mine", uid: "u" } } as unknown as LoadTest;
  const plan = { worker: { index: 0, count: 1 } } as WorkerPlan;
  const pod = workerPod(loadTest, effectiveSpec(loadTest.spec), plan, { run: "0f3a92bc", attempt: 0, image });
  return [`a worker of ${sample.metadata.name}`, [pod]] as const;
});
/** Out of cluster, the Service stands for nobody: the controller keeps its condition there. */
const isExempt = (set: string, rule: string) =>
  set === "what is installed outOfCluster" && rule.startsWith("a Service has Pods");

const sets = [...files, ...installed, ...workers] as unknown as readonly (readonly [string, readonly AnyObject[]])[];
const found = (objects: readonly AnyObject[], name: string) => {
  const rule = rules.find((each) => each.name === name);
  return objects.flatMap((object) =>
    (rule?.broken(object, objects) ?? []).map((line) => `${object.kind} ${object.metadata.name}: ${line}`),
  );
};

describe.each(sets)("%s", (set, objects) => {
  test.each(rules.filter(({ name }) => !isExempt(set, name)).map(({ name }) => name))("%s", (name) => {
    expect(found(objects, name)).toEqual([]);
  });
});

/** Rule → how it is broken in the objects of a whole installation and a worker. */
const breakages: Readonly<Record<string, ((objects: AnyObject[]) => unknown)[]>> = {
  "Pods have namespaces of their own": [pod((spec) => set(spec, "hostNetwork", true))],
  "Pods run as somebody who is not root, with the runtime's seccomp profile": [
    pod((spec) => set(spec.securityContext, "runAsNonRoot", undefined)),
    pod((spec) => set(spec.securityContext, "runAsUser", 0)),
    pod((spec) => set(spec.securityContext, "seccompProfile", { type: "Unconfined" })),
    pod((spec) => set(spec.securityContext, "sysctls", [])),
  ],
  "volumes are of kinds that are nobody else's": [pod((spec) => set(spec, "volumes", [{ name: "v", hostPath: {} }]))],
  "accounts are chosen, and Services are not in the environment": [
    pod((spec) => set(spec, "enableServiceLinks", undefined)),
    pod((spec) => set(spec, "serviceAccountName", "default")),
    of("Pod", (worker) => set(worker.spec, "automountServiceAccountToken", true)),
  ],
  "containers have no privileges, and a root file system that is read only": [
    context("allowPrivilegeEscalation", undefined),
    context("privileged", true),
    context("readOnlyRootFilesystem", false),
    context("capabilities", { drop: ["NET_RAW"] }),
    context("capabilities", { drop: ["ALL"], add: ["NET_ADMIN"] }),
    context("procMount", "Unmasked"),
    context("runAsNonRoot", false),
    context("runAsUser", 0),
  ],
  "containers ask for CPU and memory, and have a limit of memory": [
    container((each) => set(each, "resources", { limits: { memory: "1Gi" }, requests: { memory: "1Gi" } })),
    container((each) => set(each, "resources", { requests: { cpu: "1" } })),
    container((each) => set(each.resources, "limits", { cpu: "1" })),
  ],
  "images have a tag other than latest, or a digest": [
    container((each) => set(each, "image", "example.com:5000/loadtest")),
    container((each) => set(each, "image", "loadtest:latest")),
  ],
  "ports are the container's alone, named, and each once": [
    container((each) => set(each.ports[0], "hostPort", 80)),
    container((each) => set(each.ports[0], "name", undefined)),
    container((each) => set(each, "ports", [each.ports[0], each.ports[0]])),
  ],
  "secrets are no part of the environment": [
    container((each) => set(each, "env", [{ name: "A", valueFrom: { secretKeyRef: {} } }])),
    container((each) => set(each, "env", [{ name: "API_TOKEN", value: "x" }])),
    container((each) => set(each, "envFrom", [{}])),
  ],
  "controllers are probed at ports that they have": [
    container((each) => set(each, "livenessProbe", undefined)),
    container((each) => set(each.readinessProbe.httpGet, "port", "other")),
  ],
  "two replicas, and never none while it changes": [
    of("Deployment", ({ spec }) => set(spec, "replicas", 1)),
    of("Deployment", ({ spec }) => set(spec, "strategy", undefined)),
  ],
  "a Deployment selects its own Pods": [of("Deployment", ({ spec }) => set(spec.template.metadata, "labels", {}))],
  "a Service has Pods of a Deployment, at ports that they have": [
    of("Service", ({ spec }) => set(spec, "selector", { a: "b" })),
    of("Service", ({ spec }) => set(spec.ports[0], "targetPort", "other")),
  ],
  "its account is there": [of("ServiceAccount", ({ metadata }) => set(metadata, "name", "other"))],
  "no right has a wildcard": [
    right((rule) => set(rule, "verbs", ["*"])),
    right((rule) => set(rule, "resources", ["pods/*"])),
    right((rule) => set(rule, "apiGroups", ["*"])),
    right((rule) => set(rule, "nonResourceURLs", ["/metrics"])),
  ],
  "no right makes more of itself": [
    right((rule) => set(rule, "verbs", ["impersonate"])),
    right((rule) => set(rule, "resources", ["pods/exec"])),
    right((rule) => set(rule, "resources", ["clusterrolebindings"])),
  ],
  "Secrets and registrations are named, and none is made": [
    right((rule) => set(rule, "resources", ["secrets"])),
    right((rule) => Object.assign(rule, { resources: ["leases"], resourceNames: ["a"], verbs: ["create"] })),
  ],
  "who may create is not limited to names, which would limit nothing": [
    right((rule) => Object.assign(rule, { resourceNames: ["a"], verbs: ["create"] })),
  ],
  "roles that are bound are there, to accounts that are there": [
    of("ClusterRoleBinding", ({ roleRef }) => set(roleRef, "name", "cluster-admin")),
    of("RoleBinding", ({ subjects }) => set(subjects[0], "namespace", "other")),
  ],
  "webhooks ask about our own kinds alone, soon and without effects": [
    hook((each) => set(each, "sideEffects", "Unknown")),
    hook((each) => set(each, "timeoutSeconds", 30)),
    hook((each) => set(each, "failurePolicy", undefined)),
    hook((each) => set(each.rules[0], "apiGroups", [""])),
    hook((each) => set(each.rules[0], "resources", ["*"])),
    hook((each) => set(each.rules[0], "operations", ["DELETE"])),
    hook((each) => set(each, "matchConditions", [])),
  ],
  "a policy fails closed, and says why": [
    of("ValidatingAdmissionPolicy", ({ spec }) => set(spec, "failurePolicy", "Ignore")),
    of("ValidatingAdmissionPolicy", ({ spec }) => set(spec.validations[0], "message", "")),
  ],
  "of a kind one version is stored, and every field is known": [
    of("CustomResourceDefinition", ({ spec }) => set(spec.versions[0], "storage", false)),
    of("CustomResourceDefinition", ({ spec }) => set(spec, "preserveUnknownFields", true)),
    of("CustomResourceDefinition", ({ spec }) =>
      set(spec.versions[0].schema.openAPIV3Schema, "x-kubernetes-preserve-unknown-fields", true),
    ),
  ],
  "the namespace enforces restricted": [of("Namespace", ({ metadata }) => set(metadata, "labels", {}))],
  "Secrets are rendered empty": [of("Secret", (secret) => set(secret, "data", {}))],
  "network policies are of some Pods, both ways": [
    of("NetworkPolicy", ({ spec }) => set(spec, "podSelector", {})),
    of("NetworkPolicy", ({ spec }) => set(spec, "policyTypes", ["Ingress"])),
  ],
  "apiVersions are stable ones": [of("Deployment", (object) => set(object, "apiVersion", "apps/v1beta1"))],
  "what is the cluster's has no namespace, and nothing is in the default one": [
    of("ClusterRole", ({ metadata }) => set(metadata, "namespace", "a")),
    of("Service", ({ metadata }) => set(metadata, "namespace", "default")),
  ],
  "each object is there once": [(objects) => objects.push(objects[0] as AnyObject)],
};

const whole = [
  ...(sets.find(([name]) => name === "what is installed cluster")?.[1] ?? []),
  ...(sets.find(([name]) => name === "manifests/network-policy.yaml")?.[1] ?? []),
  ...(workers.flatMap(([, pods]) => pods) as unknown as AnyObject[]).slice(0, 1),
];

describe("every rule can be broken, and is kept by the whole", () => {
  test("each has its breakages", () => {
    expect(Object.keys(breakages).toSorted()).toEqual(rules.map(({ name }) => name).toSorted());
  });

  test.each(Object.entries(breakages).flatMap(([name, all]) => all.map((each, index) => [name, index, each] as const)))(
    "%s, breakage %d",
    (name, _, breakIt) => {
      expect(found(whole, name)).toEqual([]);
      const objects = structuredClone(whole);
      breakIt(objects);
      expect(found(objects, name)).not.toEqual([]);
    },
  );
});

// biome-ignore lint/suspicious/noExplicitAny: JSON, to be broken at will
type Json = any;

function set(object: Json, field: string, value: unknown): void {
  object[field] = value;
}

/** Breaks the first object of a kind. */
function of(kind: string, breakIt: (object: Json) => unknown): (objects: AnyObject[]) => unknown {
  return (objects) => breakIt(objects.find((object) => object.kind === kind));
}

function pod(breakIt: (spec: Json) => unknown) {
  return of("Deployment", ({ spec }) => breakIt(spec.template.spec));
}

function container(breakIt: (each: Json) => unknown) {
  return pod(({ containers }) => breakIt(containers[0]));
}

function context(field: string, value: unknown) {
  return container(({ securityContext }) => set(securityContext, field, value));
}

function right(breakIt: (rule: Json) => unknown) {
  return of("ClusterRole", ({ rules: all }) => breakIt(all[0]));
}

function hook(breakIt: (each: Json) => unknown) {
  return of("ValidatingWebhookConfiguration", ({ webhooks }) => breakIt(webhooks[0]));
}
