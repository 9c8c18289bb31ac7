// What the doctor reads beyond what the extension is made of, as far as it reads it.
import type { Resource } from "../../kube/resource.ts";
import type { Condition, Container, KubeObject, OwnerReference } from "../../plan/objects.ts";
import {
  roleBindings as bindings,
  clusterRoleBindings as clusterBindings,
  clusterRoles as clusterWide,
  deployments as deploymentResource,
  roles as inNamespace,
  leases as leaseResource,
  admissionPolicies as policies,
} from "../resources.ts";

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

export interface Kind extends KubeObject {
  spec: { group: string; scope: string; names: object; versions: { name: string; schema?: object }[] };
  status?: { conditions?: Condition[]; storedVersions?: string[] };
}

export interface EndpointSlice extends KubeObject {
  endpoints?: { addresses: string[]; conditions?: { ready?: boolean } }[] | null;
  ports?: { name?: string; port?: number }[] | null;
}

export interface Node extends KubeObject {
  status?: { conditions?: Condition[]; nodeInfo?: { kubeletVersion: string } };
}

export interface Namespace extends KubeObject {
  status?: { phase?: string };
}

export interface ResourceQuota extends KubeObject {
  status?: { hard?: Record<string, string>; used?: Record<string, string> };
}

/** Metadata alone. */
export interface Owned extends KubeObject {
  metadata: KubeObject["metadata"] & { ownerReferences?: OwnerReference[] };
}

export const deployments = deploymentResource as Resource<Deployment>;
export const leases = leaseResource as Resource<Lease>;
export const roles = inNamespace as Resource<Role>;
export const clusterRoles = clusterWide as Resource<Role>;
export const roleBindings = bindings as Resource<RoleBinding>;
export const clusterRoleBindings = clusterBindings as Resource<RoleBinding>;
export const admissionPolicies = policies as Resource<AdmissionPolicy>;

export const nodes: Resource<Node> = core("nodes", "Node", false);
export const resourceQuotas: Resource<ResourceQuota> = core("resourcequotas", "ResourceQuota", true);
export const endpointSlices: Resource<EndpointSlice> = {
  ...core("endpointslices", "EndpointSlice", true),
  group: "discovery.k8s.io",
};

function core<T extends KubeObject>(plural: string, kind: string, namespaced: boolean): Resource<T> {
  return { group: "", version: "v1", plural, kind, namespaced };
}
