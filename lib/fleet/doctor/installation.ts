// What checks share: where the parts of an installation are, and how they are looked for.
import { isNotFound } from "../../kube/api-error.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { ObjectKey, Resource } from "../../kube/resource.ts";
import type { Placement } from "../../manifest/extension.ts";
import { extensionLabels, extensionNamespace } from "../../manifest/names.ts";
import type { KubeObject, Observed } from "../../plan/objects.ts";

/** Of the controller's Pods and Deployment. */
export const controllerSelector = Object.entries(extensionLabels)
  .map(([name, value]) => `${name}=${value}`)
  .join();

/** The namespace of a controller's Deployment, account and Lease. */
export function homeOf(placement: Placement): string {
  return placement.kind === "namespaced" ? placement.namespace : extensionNamespace;
}

/** Whether the API server is to ask the controller at admission. */
export function hasWebhooks(placement: Placement): boolean {
  return placement.kind !== "namespaced";
}

/** undefined: there is none. */
export async function find<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  key: ObjectKey,
): Promise<Observed<T> | undefined> {
  try {
    return await client.get(resource, key);
  } catch (error: unknown) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
