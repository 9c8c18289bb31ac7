// An object that may not be there.
import type { KubeObject, Observed } from "../plan/objects.ts";
import { isNotFound } from "./api-error.ts";
import type { CallOptions, KubeClient } from "./client.ts";
import type { ObjectKey, Resource } from "./resource.ts";

/** undefined: there is none. Rejects as the client does where that is not known. */
export async function find<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  key: ObjectKey,
  options?: CallOptions,
): Promise<Observed<T> | undefined> {
  try {
    return await client.get(resource, key, options);
  } catch (error: unknown) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
