// What the doctor reads beyond what the extension is made of, as far as it reads it.
import { clusterResource, namespacedResource } from "../../kube/resource.ts";
import type { Condition, KubeObject } from "../../plan/objects.ts";

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

export interface ResourceQuota extends KubeObject {
  status?: { hard?: Record<string, string>; used?: Record<string, string> };
}

export const nodes = clusterResource<Node>("", "Node");
export const resourceQuotas = namespacedResource<ResourceQuota>("", "ResourceQuota");
export const endpointSlices = namespacedResource<EndpointSlice>("discovery.k8s.io", "EndpointSlice");
