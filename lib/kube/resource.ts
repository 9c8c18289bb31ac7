// A resource of the API server as a value: what it is called and where its objects live.
import { apiGroup } from "../loadtest/api-group.ts";
import type { Canary } from "../loadtest/canary.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import type { LoadTestResult } from "../loadtest/load-test-result.ts";
import type { KubeObject, Pod, Service } from "../plan/objects.ts";

export interface Resource<T extends KubeObject = KubeObject> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Never set: it only carries the type of the objects. */
  readonly object?: T;
}

/** One object of a resource; `namespace` is absent for cluster-scoped resources. */
export interface ObjectKey {
  readonly namespace?: string;
  readonly name: string;
}

export const pods = namespacedResource<Pod>("", "Pod");
export const services = namespacedResource<Service>("", "Service");
export const loadtests = namespacedResource<LoadTest & KubeObject>(apiGroup, "LoadTest");
export const loadtestresults = namespacedResource<LoadTestResult>(apiGroup, "LoadTestResult");
export const canaries = namespacedResource<Canary & KubeObject>(apiGroup, "Canary");
export const customResourceDefinitions = clusterResource("apiextensions.k8s.io", "CustomResourceDefinition");

/** In version v1, by the plural that English has for the kind. */
export function namespacedResource<T extends KubeObject = KubeObject>(group: string, kind: string): Resource<T> {
  const plural = `${kind.toLowerCase().replace(/y$/, "ie")}s`;
  return { group, version: "v1", plural, kind, namespaced: true };
}

/** The same, of objects that are in no namespace. */
export function clusterResource<T extends KubeObject = KubeObject>(group: string, kind: string): Resource<T> {
  return { ...namespacedResource<T>(group, kind), namespaced: false };
}

/** The `apiVersion` of the resource's objects: `v1`, `apps/v1`. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}

/** The URL path of all objects of the resource: of one namespace, or of the whole cluster without one. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const root = resource.group === "" ? "/api" : "/apis";
  const scope = namespace === undefined || !resource.namespaced ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}/${apiVersionOf(resource)}${scope}/${resource.plural}`;
}

/** The URL path where an object with this metadata is created; reviews, which nobody stores, have no name. */
export function creationPath(resource: Resource, key: ObjectKey): string {
  checkNamespace(resource, key);
  return collectionPath(resource, key.namespace);
}

/** The URL path of one object, or of its subresource (`status`, `log`, …). */
export function objectPath(resource: Resource, key: ObjectKey, subresource?: string): string {
  checkKey(resource, key);
  const path = `${collectionPath(resource, key.namespace)}/${encodeURIComponent(key.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** Without a name or namespace, a path would mean the whole collection. */
function checkKey(resource: Resource, key: ObjectKey): void {
  if (key.name === "") throw new Error(`Cannot address ${resource.kind} "": must have a name`);
  checkNamespace(resource, key);
}

function checkNamespace(resource: Resource, { namespace, name }: ObjectKey): void {
  if (resource.namespaced && !namespace) {
    throw new Error(`Cannot address ${resource.kind} "${name}": must have a namespace`);
  }
}
