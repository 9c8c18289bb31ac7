// Rules over rendered objects, of the kind that kube-linter and Pod Security know: each finds what is wrong with one
// object in its company, and says it in a line.
import type { KubeObject } from "../../lib/plan/objects.ts";

export interface Rule {
  name: string;
  /** What is wrong, a line each. @param all The object and those that are applied with it. */
  broken: (object: AnyObject, all: readonly AnyObject[]) => string[];
}

/** Rendered objects are JSON: what a rule reads may be anything. */
// biome-ignore lint/suspicious/noExplicitAny: a border, where shapes are what is tested
export type AnyObject = KubeObject & Record<string, any>;
// biome-ignore lint/suspicious/noExplicitAny: as above
type Json = any;

const workloads = ["Deployment", "Pod"];
const clusterKinds = [
  "Namespace",
  "ClusterRole",
  "ClusterRoleBinding",
  "CustomResourceDefinition",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "ValidatingWebhookConfiguration",
  "MutatingWebhookConfiguration",
  "CertificateSigningRequest",
];
const stable: Readonly<Record<string, readonly string[]>> = {
  v1: ["Namespace", "ServiceAccount", "Secret", "Service", "Pod"],
  "apps/v1": ["Deployment"],
  "rbac.authorization.k8s.io/v1": ["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"],
  "coordination.k8s.io/v1": ["Lease"],
  "apiextensions.k8s.io/v1": ["CustomResourceDefinition"],
  "admissionregistration.k8s.io/v1": [
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
  ],
  "networking.k8s.io/v1": ["NetworkPolicy"],
  "certificates.k8s.io/v1": ["CertificateSigningRequest"],
  "beta.kuar.com/v1": ["LoadTest", "Canary"],
};
/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
const volumeTypes = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

function podOf(object: AnyObject): Json {
  if (object.kind === "Pod") return object["spec"];
  return object.kind === "Deployment" ? object["spec"].template.spec : undefined;
}

function containersOf(object: AnyObject): Json[] {
  const pod = podOf(object);
  return [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])];
}

function ofWorkloads(name: string, broken: (pod: Json, object: AnyObject) => (string | false)[]): Rule {
  return {
    name,
    broken: (object) =>
      workloads.includes(object.kind) ? broken(podOf(object), object).filter((line) => line !== false) : [],
  };
}

function ofContainers(name: string, broken: (container: Json, object: AnyObject) => (string | false)[]): Rule {
  return ofWorkloads(name, (_, object) =>
    containersOf(object).flatMap((container) =>
      broken(container, object).map((line) => line !== false && `${container.name}: ${line}`),
    ),
  );
}

function ofKinds(
  kinds: readonly string[],
  name: string,
  broken: (object: AnyObject, all: readonly AnyObject[]) => (string | false)[],
): Rule {
  return {
    name,
    broken: (object, all) => (kinds.includes(object.kind) ? broken(object, all).filter((line) => line !== false) : []),
  };
}

const podRules: readonly Rule[] = [
  ofWorkloads("Pods have namespaces of their own", (pod) =>
    ["hostNetwork", "hostPID", "hostIPC"].map((field) => pod[field] === true && `${field} is true`),
  ),
  ofWorkloads(
    "Pods run as somebody who is not root, with the runtime's seccomp profile",
    ({ securityContext = {} }) => [
      securityContext.runAsNonRoot !== true && "runAsNonRoot is not true",
      !(securityContext.runAsUser > 0) && "runAsUser is root or left to the image",
      securityContext.seccompProfile?.type !== "RuntimeDefault" && "seccompProfile is not RuntimeDefault",
      securityContext.sysctls !== undefined && "it sets sysctls",
    ],
  ),
  ofWorkloads("volumes are of kinds that are nobody else's", ({ volumes = [] }) =>
    volumes.map((volume: Json) => !volumeTypes.some((type) => type in volume) && `${volume.name} is of another kind`),
  ),
  ofWorkloads("accounts are chosen, and Services are not in the environment", (pod, { kind }) => [
    pod.enableServiceLinks !== false && "enableServiceLinks is not false",
    kind === "Deployment" && (pod.serviceAccountName ?? "default") === "default" && "it has the default account",
    kind === "Pod" && pod.automountServiceAccountToken !== false && "it has a token",
  ]),
  ofContainers(
    "containers have no privileges, and a root file system that is read only",
    ({ securityContext = {} }) => [
      securityContext.allowPrivilegeEscalation !== false && "allowPrivilegeEscalation is not false",
      securityContext.privileged === true && "it is privileged",
      securityContext.readOnlyRootFilesystem !== true && "readOnlyRootFilesystem is not true",
      !securityContext.capabilities?.drop?.includes("ALL") && "it does not drop ALL",
      securityContext.capabilities?.add !== undefined && "it adds capabilities",
      (securityContext.procMount ?? "Default") !== "Default" && "procMount is set",
      securityContext.runAsNonRoot === false && "runAsNonRoot is false",
      securityContext.runAsUser === 0 && "it is root",
    ],
  ),
  ofContainers(
    "containers ask for CPU and memory, and have a limit of memory",
    ({ resources: { requests, limits } = {} }) => [
      // the API server takes a limit for a request that is missing
      (requests?.cpu ?? limits?.cpu) === undefined && "it requests no CPU",
      (requests?.memory ?? limits?.memory) === undefined && "it requests no memory",
      limits?.memory === undefined && "it has no limit of memory",
    ],
  ),
  ofContainers("images have a tag other than latest, or a digest", ({ image = "" }) => [
    !/(:[\w][\w.-]*|@sha256:[0-9a-f]{64})$/.test(image) && `image ${image} has no tag`,
    /:latest$/.test(image) && "image is latest",
  ]),
  ofContainers("ports are the container's alone, named, and each once", ({ ports = [] }) => [
    ...ports.map((port: Json) => port.hostPort !== undefined && `port ${port.name} is the node's`),
    ...ports.map((port: Json) => port.name === undefined && `port ${port.containerPort} has no name`),
    new Set(ports.map((port: Json) => port.name)).size < ports.length && "two ports have one name",
  ]),
  ofContainers("secrets are no part of the environment", ({ env = [], envFrom = [] }) => [
    ...env.map((each: Json) => each.valueFrom?.secretKeyRef !== undefined && `${each.name} is from a Secret`),
    ...env.map((each: Json) => /password|secret|token|key$/i.test(each.name) && `${each.name} sounds secret`),
    envFrom.length > 0 && "it takes whole objects into its environment",
  ]),
  ofContainers("controllers are probed at ports that they have", (container, { kind }) =>
    ["livenessProbe", "readinessProbe"].flatMap((name) => {
      if (kind !== "Deployment") return [];
      const port = container[name]?.httpGet?.port;
      const known = (container.ports ?? []).map((each: Json) => each.name);
      return [port === undefined ? `it has no ${name}` : !known.includes(port) && `${name} is at an unknown port`];
    }),
  ),
];

const deploymentRules: readonly Rule[] = [
  ofKinds(["Deployment"], "two replicas, and never none while it changes", ({ spec }) => [
    !(spec.replicas >= 2) && "there are fewer than two replicas",
    spec.strategy?.rollingUpdate?.maxUnavailable !== 0 && "it may be without replicas while it changes",
  ]),
  ofKinds(["Deployment"], "a Deployment selects its own Pods", ({ spec }) =>
    Object.entries(spec.selector.matchLabels).map(
      ([name, value]) => spec.template.metadata.labels[name] !== value && `its Pods lack the label ${name}`,
    ),
  ),
  ofKinds(["Service"], "a Service has Pods of a Deployment, at ports that they have", ({ spec }, all) => {
    const deployment = all.find(
      (each) =>
        each.kind === "Deployment" &&
        Object.entries(spec.selector).every(([name, value]) => each["spec"].template.metadata.labels[name] === value),
    );
    if (deployment === undefined) return ["no Deployment has such Pods"];
    const ports = containersOf(deployment).flatMap(({ ports = [] }) => ports.map((port: Json) => port.name));
    return spec.ports.map((port: Json) => !ports.includes(port.targetPort) && `nobody has the port ${port.targetPort}`);
  }),
  ofKinds(["Deployment"], "its account is there", (deployment, all) => [
    !all.some(
      ({ kind, metadata }) =>
        kind === "ServiceAccount" &&
        metadata.name === podOf(deployment).serviceAccountName &&
        metadata.namespace === deployment.metadata.namespace,
    ) && "there is no such account",
  ]),
];

/** Verbs and resources by which rights grow. */
const growingVerbs = ["escalate", "bind", "impersonate", "deletecollection", "approve", "sign"];
const growingResources = [
  "pods/exec",
  "pods/attach",
  "pods/portforward",
  "pods/ephemeralcontainers",
  "nodes/proxy",
  "serviceaccounts/token",
];

function ofRules(name: string, broken: (rule: Json) => (string | false)[]): Rule {
  return ofKinds(["Role", "ClusterRole"], name, ({ rules }) =>
    rules.flatMap((rule: Json) => broken(rule).map((line) => line !== false && `${rule.resources}: ${line}`)),
  );
}

const roleRules: readonly Rule[] = [
  ofRules("no right has a wildcard", ({ apiGroups = [], resources = [], verbs = [], nonResourceURLs }) => [
    [...apiGroups, ...resources, ...verbs].some((word) => word.includes("*")) && "it has a wildcard",
    nonResourceURLs !== undefined && "it is of paths that are no resources",
  ]),
  ofRules("no right makes more of itself", ({ resources, verbs }) => [
    verbs.some((verb: string) => growingVerbs.includes(verb)) && `it may ${verbs}`,
    resources.some((resource: string) => growingResources.includes(resource)) && "it gets into what runs",
    resources.some((resource: string) => /roles|bindings$/.test(resource)) && "it is of rights",
  ]),
  ofRules("Secrets and registrations are named, and none is made", ({ resources, resourceNames = [], verbs }) => {
    const isDelicate = resources.some((each: string) => /^secrets|webhookconfigurations|leases$/.test(each));
    return [
      isDelicate && resourceNames.length === 0 && "it names none",
      isDelicate && verbs.some((verb: string) => /create|delete/.test(verb)) && `it may ${verbs}`,
    ];
  }),
  ofRules("who may create is not limited to names, which would limit nothing", ({ resourceNames, verbs }) => [
    resourceNames !== undefined && verbs.includes("create") && "a right to create cannot be limited to a name",
  ]),
  ofKinds(
    ["RoleBinding", "ClusterRoleBinding"],
    "roles that are bound are there, to accounts that are there",
    ({ roleRef, subjects, metadata }, all) => [
      !all.some(({ kind, metadata: { name } }) => kind === roleRef.kind && name === roleRef.name) &&
        `there is no ${roleRef.kind} ${roleRef.name}`,
      ...subjects.map(
        (subject: Json) =>
          !all.some(
            (each) =>
              each.kind === "ServiceAccount" &&
              subject.kind === each.kind &&
              subject.name === each.metadata.name &&
              (subject.namespace ?? metadata.namespace) === each.metadata.namespace,
          ) && `there is no account ${subject.name}`,
      ),
    ],
  ),
];

const webhookKinds = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"];
const clusterRules: readonly Rule[] = [
  ofKinds(webhookKinds, "webhooks ask about our own kinds alone, soon and without effects", ({ webhooks }) =>
    webhooks.flatMap((hook: Json) => [
      hook.sideEffects !== "None" && "it has side effects",
      !(hook.timeoutSeconds <= 5) && "it may hold up the API server for more than 5 s",
      hook.failurePolicy === undefined && "what happens without an answer is left open",
      ...hook.rules.map(
        (rule: Json) =>
          (rule.apiGroups.join() !== "beta.kuar.com" || JSON.stringify(rule).includes("*")) && "it asks about others",
      ),
      ...hook.rules.map((rule: Json) => rule.operations.includes("DELETE") && "it may hold up deletions"),
      (hook.matchConditions ?? []).length === 0 && "it asks about what has been judged",
    ]),
  ),
  ofKinds(["ValidatingAdmissionPolicy"], "a policy fails closed, and says why", ({ spec }) => [
    spec.failurePolicy !== "Fail" && "it fails open",
    ...spec.validations.map((validation: Json) => !validation.message && "it says no reason"),
  ]),
  ofKinds(["CustomResourceDefinition"], "of a kind one version is stored, and every field is known", ({ spec }) => [
    spec.versions.filter((version: Json) => version.storage).length !== 1 && "there is not one stored version",
    spec.preserveUnknownFields === true && "it keeps unknown fields",
    JSON.stringify(spec).includes("x-kubernetes-preserve-unknown-fields") && "a part keeps unknown fields",
  ]),
  ofKinds(["Namespace"], "the namespace enforces restricted", ({ metadata }) => [
    metadata.labels?.["pod-security.kubernetes.io/enforce"] !== "restricted" && "it does not",
  ]),
  ofKinds(["Secret"], "Secrets are rendered empty", (secret) => [
    (secret["data"] ?? secret["stringData"]) !== undefined && "it has content",
  ]),
  ofKinds(["NetworkPolicy"], "network policies are of some Pods, both ways", ({ spec }) => [
    Object.keys(spec.podSelector.matchLabels ?? {}).length === 0 && "it is of all Pods",
    spec.policyTypes?.toSorted().join() !== "Egress,Ingress" && "it leaves one way open",
  ]),
  {
    name: "apiVersions are stable ones",
    broken: ({ apiVersion, kind }) => (stable[apiVersion]?.includes(kind) ? [] : [`${kind} of ${apiVersion}`]),
  },
  {
    name: "what is the cluster's has no namespace, and nothing is in the default one",
    broken: ({ kind, metadata: { namespace } }) =>
      [
        clusterKinds.includes(kind) && namespace !== undefined && "it has a namespace",
        namespace === "default" && "it is in default",
      ].filter((line) => line !== false),
  },
  {
    name: "each object is there once",
    broken: (object, all) => {
      const key = ({ kind, metadata: { namespace, name } }: KubeObject) => `${kind} ${namespace}/${name}`;
      return all.filter((each) => key(each) === key(object)).length > 1 ? [`${key(object)} is there twice`] : [];
    },
  },
];

export const rules: readonly Rule[] = [...podRules, ...deploymentRules, ...roleRules, ...clusterRules];
