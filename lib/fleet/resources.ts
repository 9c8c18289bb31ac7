// From an object to where the API server keeps it: every resource that the extension is made of, and what it makes.
import { mutatingConfigurations, secrets, validatingConfigurations } from "../cert/resources.ts";
import {
  apiVersionOf,
  canaries,
  customResourceDefinitions,
  loadtestresults,
  loadtests,
  type ObjectKey,
  pods,
  type Resource,
  services,
} from "../kube/resource.ts";
import { extensionLabels } from "../manifest/names.ts";
import type { KubeObject } from "../plan/objects.ts";

export const namespaces = clusterResource("", "Namespace");
export const configMaps = namespacedResource("", "ConfigMap");
export const serviceAccounts = namespacedResource("", "ServiceAccount");
export const deployments = namespacedResource("apps", "Deployment");
export const replicaSets = namespacedResource("apps", "ReplicaSet");
export const leases = namespacedResource("coordination.k8s.io", "Lease");
export const roles = namespacedResource("rbac.authorization.k8s.io", "Role");
export const roleBindings = namespacedResource("rbac.authorization.k8s.io", "RoleBinding");
export const clusterRoles = clusterResource("rbac.authorization.k8s.io", "ClusterRole");
export const clusterRoleBindings = clusterResource("rbac.authorization.k8s.io", "ClusterRoleBinding");
export const admissionPolicies: Resource = {
  ...clusterResource("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
  plural: "validatingadmissionpolicies",
};
export const admissionPolicyBindings = clusterResource(
  "admissionregistration.k8s.io",
  "ValidatingAdmissionPolicyBinding",
);

export const networkPolicies: Resource = {
  ...namespacedResource("networking.k8s.io", "NetworkPolicy"),
  plural: "networkpolicies",
};

const known: readonly Resource[] = [
  namespaces,
  customResourceDefinitions,
  serviceAccounts,
  clusterRoles,
  clusterRoleBindings,
  roles,
  roleBindings,
  admissionPolicies,
  admissionPolicyBindings,
  configMaps,
  secrets,
  leases,
  services,
  deployments,
  replicaSets,
  pods,
  validatingConfigurations,
  mutatingConfigurations,
  networkPolicies,
  loadtests,
  canaries,
  loadtestresults,
];

/** The resource of an object, by its apiVersion and kind. Throws for one that has nothing to do with the extension. */
export function resourceOf({ apiVersion, kind, metadata }: KubeObject): Resource {
  const found = known.find((resource) => resource.kind === kind && apiVersionOf(resource) === apiVersion);
  if (found !== undefined) return found;
  throw new Error(`Cannot place ${kind} "${metadata.name}" of ${apiVersion}: must be a kind that the extension knows`);
}

export function keyOf({ metadata: { namespace, name } }: KubeObject): ObjectKey {
  return namespace === undefined ? { name } : { namespace, name };
}

/** For people: `Deployment loadtest-system/loadtest`. */
export function formatObject({ kind, metadata: { namespace, name } }: KubeObject): string {
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

/** The labels as a selector. */
export function selectorOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map((pair) => pair.join("="))
    .join();
}

/** Of the controller's Pods and Deployment. */
export const controllerSelector = selectorOf(extensionLabels);

function namespacedResource(group: string, kind: string): Resource {
  return { group, version: "v1", plural: `${kind.toLowerCase()}s`, kind, namespaced: true };
}

function clusterResource(group: string, kind: string): Resource {
  return { ...namespacedResource(group, kind), namespaced: false };
}
