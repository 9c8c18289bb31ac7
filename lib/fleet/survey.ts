// What is there of the objects of an extension, as far as the caller may see it; nothing is changed.
import { isForbidden } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import type { KubeObject, Observed } from "../plan/objects.ts";
import { findObject } from "./apply.ts";

export interface Surveyed {
  wanted: KubeObject;
  /** Undefined: there is none. */
  live: Observed<KubeObject> | undefined | "unseen";
}

export function survey(client: KubeClient, objects: readonly KubeObject[]): Promise<Surveyed[]> {
  return Promise.all(objects.map(async (wanted) => ({ wanted, live: await look(client, wanted) })));
}

async function look(client: KubeClient, wanted: KubeObject): Promise<Surveyed["live"]> {
  try {
    return await findObject(client, wanted);
  } catch (error: unknown) {
    if (isForbidden(error)) return "unseen";
    throw error;
  }
}
