// From an object to where the API server keeps it: every resource that the extension is made of, and what it makes.
import { mutatingConfigurations, secrets, validatingConfigurations } from "../cert/resources.ts";
import {
  apiVersionOf,
  canaries,
  clusterResource,
  customResourceDefinitions,
  loadtestresults,
  loadtests,
  namespacedResource,
  type ObjectKey,
  pods,
  type Resource,
  services,
} from "../kube/resource.ts";
import { extensionLabels } from "../manifest/names.ts";
import type { Condition, Container, KubeObject } from "../plan/objects.ts";

export interface Deployment extends KubeObject {
  spec: {
    replicas?: number;
    template: { spec: { containers: Container[] } };
  };
  status?: {
    readyReplicas?: number;
    updatedReplicas?: number;
    observedGeneration?: number;
    conditions?: Condition[];
  };
}

export interface Lease extends KubeObject {
  spec?: { holderIdentity?: string; leaseDurationSeconds?: number; renewTime?: string };
}

export interface Role extends KubeObject {
  rules?: { apiGroups?: string[]; resources?: string[]; resourceNames?: string[]; verbs: string[] }[];
}

export interface RoleBinding extends KubeObject {
  roleRef: { kind: string; name: string };
  subjects?: { kind: string; name: string; namespace?: string }[];
}

export interface AdmissionPolicy extends KubeObject {
  spec: { validations?: { expression: string }[] };
  status?: { typeChecking?: { expressionWarnings?: { fieldRef: string; warning: string }[] } };
}

const rbac = "rbac.authorization.k8s.io";
const admission = "admissionregistration.k8s.io";
export const namespaces = clusterResource("", "Namespace");
export const configMaps = namespacedResource("", "ConfigMap");
export const serviceAccounts = namespacedResource("", "ServiceAccount");
export const deployments = namespacedResource<Deployment>("apps", "Deployment");
export const replicaSets = namespacedResource("apps", "ReplicaSet");
export const leases = namespacedResource<Lease>("coordination.k8s.io", "Lease");
export const roles = namespacedResource<Role>(rbac, "Role");
export const roleBindings = namespacedResource<RoleBinding>(rbac, "RoleBinding");
export const clusterRoles = clusterResource<Role>(rbac, "ClusterRole");
export const clusterRoleBindings = clusterResource<RoleBinding>(rbac, "ClusterRoleBinding");
export const admissionPolicies = clusterResource<AdmissionPolicy>(admission, "ValidatingAdmissionPolicy");
export const admissionPolicyBindings = clusterResource(admission, "ValidatingAdmissionPolicyBinding");
export const networkPolicies = namespacedResource("networking.k8s.io", "NetworkPolicy");

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
