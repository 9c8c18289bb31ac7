// Server-side apply of one object: what it has come to, or whose fields stand in the way.
// https://kubernetes.io/docs/reference/using-api/server-side-apply/
import { isDeepStrictEqual } from "node:util";
import { ApiError } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { find } from "../kube/find.ts";
import type { KubeObject, Observed } from "../plan/objects.ts";
import { keyOf, resourceOf } from "./resources.ts";

/** Under which the fields of an installation are known to be ours. */
export const fieldManager = "loadtest-install";

export interface ApplyOptions {
  /** Asks the API server for what would become of the object. */
  dryRun?: boolean;
  /** Takes fields that others have set. */
  force?: boolean;
}

export interface Conflict {
  /** As the API server writes it: `.spec.replicas`. */
  field: string;
  /** With what it did: `"kubectl" using apps/v1`. */
  manager: string;
}

export type Applied =
  | { outcome: "created"; after: Observed<KubeObject> }
  /** Different in content, or not; a field that has only become ours as well makes no difference. */
  | { outcome: "changed" | "unchanged"; before: Observed<KubeObject>; after: Observed<KubeObject> }
  | { outcome: "conflict"; before: Observed<KubeObject>; conflicts: readonly Conflict[] };

/** Rejects with ApiError and ConnectionError as every call does. */
export async function applyObject(
  client: KubeClient,
  object: KubeObject,
  { dryRun = false, force = false }: ApplyOptions = {},
): Promise<Applied> {
  const before = await findObject(client, object);
  try {
    const patch = { type: "apply", body: object, fieldManager, force } as const;
    const after = await client.patch(resourceOf(object), keyOf(object), patch, { dryRun });
    if (before === undefined) return { outcome: "created", after };
    return { outcome: hasSameContent(before, after) ? "unchanged" : "changed", before, after };
  } catch (error: unknown) {
    const conflicts = conflictsIn(error);
    if (before === undefined || conflicts.length === 0) throw error;
    return { outcome: "conflict", before, conflicts };
  }
}

/** The object as it is; undefined when there is none. */
export async function findObject<T extends KubeObject>(
  client: KubeClient,
  object: T,
): Promise<Observed<KubeObject> | undefined> {
  return find(client, resourceOf(object), keyOf(object));
}

/** Whether two readings of an object differ in nothing but its bookkeeping; `status` is written by others. */
export function hasSameContent(one: KubeObject, other: KubeObject): boolean {
  return isDeepStrictEqual(contentOf(one), contentOf(other));
}

function contentOf(object: KubeObject): object {
  const { status: _, ...content } = object as KubeObject & { status?: unknown };
  const {
    managedFields: __,
    resourceVersion: ___,
    generation: ____,
    ...metadata
  } = object.metadata as typeof object.metadata & {
    managedFields?: unknown;
  };
  return { ...content, metadata };
}

function conflictsIn(error: unknown): Conflict[] {
  if (!(error instanceof ApiError) || error.code !== 409) return [];
  return error.causes
    .filter(({ reason }) => reason === "FieldManagerConflict")
    .map(({ field = "", message = "" }) => ({ field, manager: message.replace(/^conflict with /, "") }));
}
