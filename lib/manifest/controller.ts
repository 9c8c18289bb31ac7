// The objects that run the controller in a cluster: its identity, rights and Deployment; for all namespaces, with
// admission, or for a single one, with nothing that is the cluster's.
import { restrictedContainer, restrictedPod } from "../plan/restricted.ts";
import type { Manifest } from "./manifest.ts";
import {
  authoritySecret,
  controllerContainer,
  extensionLabels,
  extensionNamespace,
  leaderLease,
  extensionName as name,
  ports,
  servingSecret,
} from "./names.ts";
import { podDeletionPolicy } from "./pod-deletion-policy.ts";
import { podPolicy, podPolicyBinding } from "./pod-policy.ts";
import {
  admissionRules,
  certificateRules,
  leaderRules,
  type PolicyRule,
  registrationRules,
  workRules,
} from "./rights.ts";
import { servicePolicy } from "./service-policy.ts";

const rbac = "rbac.authorization.k8s.io";
/** One goes on while the other is away. */
export const defaultReplicas = 2;
const inNamespace = { name, namespace: extensionNamespace };

/** Where the objects of one controller are; absent namespace: the one that they are applied to. */
interface Metadata {
  name: string;
  namespace?: string;
}

/** `image` runs the controller and, by LOADTEST_IMAGE, the workers. */
export interface ControllerOptions {
  image: string;
  replicas?: number;
}

/** A controller's objects by what they are for, in the order in which each finds what it needs. */
export interface ControllerParts {
  /** Absent: the namespace is somebody else's. */
  namespace: readonly Manifest[];
  /** Who the controller is, what it may do, and what it may not in spite of that. */
  rights: readonly Manifest[];
  /** What it finds there and writes to: nothing of these may it make itself. */
  belongings: readonly Manifest[];
  deployment: readonly Manifest[];
}

export function controllerParts({ image, replicas = defaultReplicas }: ControllerOptions): ControllerParts {
  return {
    namespace: [namespace()],
    rights: [
      serviceAccount(inNamespace),
      role("ClusterRole", { name }, [...workRules, ...admissionRules, ...registrationRules]),
      binding("ClusterRole", { name }),
      role("Role", inNamespace, [...certificateRules, ...leaderRules]),
      binding("Role", inNamespace),
      podPolicy(image),
      podPolicyBinding(),
      ...podDeletionPolicy(),
      ...servicePolicy(),
    ],
    belongings: [
      emptySecret(servingSecret),
      emptySecret(authoritySecret),
      lease({ name: leaderLease, namespace: extensionNamespace }),
      service(),
    ],
    deployment: [deployment(inNamespace, replicas, container(image, ["--leader-elect"], ports))],
  };
}

/**
 * For the namespace that they are applied to, and for whoever may do no more than that. The kinds must be there; their
 * CEL rules stand in for the webhooks, and the controller judges each LoadTest itself.
 */
export function namespacedControllerParts({ image, replicas = defaultReplicas }: ControllerOptions): ControllerParts {
  const { health, metrics } = ports;
  const args = ["--leader-elect", "--namespace", "$(NAMESPACE)"];
  const ownNamespace = {
    name: "NAMESPACE",
    valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } },
  };
  return {
    namespace: [],
    rights: [
      serviceAccount({ name }),
      role("Role", { name }, [...workRules, ...leaderRules]),
      binding("Role", { name }),
    ],
    belongings: [lease({ name: leaderLease })],
    deployment: [deployment({ name }, replicas, container(image, args, { health, metrics }, ownNamespace))],
  };
}

export function allOf({ namespace, rights, belongings, deployment }: ControllerParts): Manifest[] {
  return [...namespace, ...rights, ...belongings, ...deployment];
}

function namespace(): Manifest {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: extensionNamespace, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
  };
}

function serviceAccount(metadata: Metadata): Manifest {
  return { apiVersion: "v1", kind: "ServiceAccount", metadata };
}

function role(kind: "ClusterRole" | "Role", metadata: Metadata, rules: PolicyRule[]): Manifest {
  return { apiVersion: `${rbac}/v1`, kind, metadata, rules };
}

/** Of the role of this kind and name to the account; an account without namespace is in that of the binding. */
function binding(kind: "ClusterRole" | "Role", metadata: Metadata): Manifest {
  const account = kind === "ClusterRole" ? inNamespace : metadata;
  return {
    apiVersion: `${rbac}/v1`,
    kind: `${kind}Binding`,
    metadata,
    roleRef: { apiGroup: rbac, kind, name },
    subjects: [{ kind: "ServiceAccount", ...account }],
  };
}

/** What the controller fills: applying it again leaves its content alone. */
function emptySecret(name: string): Manifest {
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: extensionNamespace }, type: "Opaque" };
}

function lease(metadata: Metadata): Manifest {
  return { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata };
}

function service(): Manifest {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...inNamespace, labels: extensionLabels },
    spec: {
      selector: extensionLabels,
      ports: [{ name: "admission", port: 443, targetPort: "admission" }],
    },
  };
}

function deployment(metadata: Metadata, replicas: number, container: object): Manifest {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { ...metadata, labels: extensionLabels },
    spec: {
      replicas,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      selector: { matchLabels: extensionLabels },
      template: {
        metadata: { labels: extensionLabels },
        spec: {
          serviceAccountName: name,
          enableServiceLinks: false,
          securityContext: restrictedPod,
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: "kubernetes.io/hostname",
              whenUnsatisfiable: "ScheduleAnyway",
              labelSelector: { matchLabels: extensionLabels },
            },
          ],
          containers: [container],
        },
      },
    },
  };
}

function container(image: string, args: string[], ports: Record<string, number>, ...env: object[]): object {
  return {
    name: controllerContainer,
    image,
    imagePullPolicy: "IfNotPresent",
    args: ["controller", ...args],
    env: [{ name: "LOADTEST_IMAGE", value: image }, ...env],
    ports: Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort })),
    livenessProbe: { httpGet: { path: "/healthz", port: "health" }, periodSeconds: 10, timeoutSeconds: 5 },
    readinessProbe: { httpGet: { path: "/readyz", port: "health" }, periodSeconds: 2, timeoutSeconds: 5 },
    resources: {
      requests: { cpu: "100m", memory: "128Mi" },
      limits: { memory: "512Mi" },
    },
    securityContext: restrictedContainer,
  };
}
