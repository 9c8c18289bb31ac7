// What the API server does with a call, for the kinds and the calls of this program; the differential test in
// test/cluster compares it with a real one. Each call is one instant: no two overlap here.
import { isDeepStrictEqual } from "node:util";
import jsonPatch from "fast-json-patch";
import type { CreateOptions, DeleteOptions, ListOptions, LogOptions, Patch } from "../../lib/kube/client.ts";
import { type ObjectKey, objectPath, pods, type Resource } from "../../lib/kube/resource.ts";
import type { KubeObject, ObjectMeta, Pod } from "../../lib/plan/objects.ts";
import { areAnnotationsTooLong, mostAnnotationBytes } from "./annotations.ts";
import { mergePatch } from "./merge-patch.ts";
import { alreadyExists, badRequest, type Call, conflict, invalid, type Method, notFound, refuse } from "./refusal.ts";
import { schemaProblem } from "./schemas.ts";
import { selects, selectsByFields } from "./selectors.ts";
import { Store, type Stored, storeKey } from "./store.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** How long a Pod may take to end, where nobody says otherwise. */
const podGraceSeconds = 30;
const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** RFC 1035: it begins with a letter. */
const serviceName = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** Who has the logs of Pods: their kubelets. */
export interface PodLogs {
  /** undefined: the container has not begun. Throws an Error when the kubelet cannot be reached. */
  read(uid: string, tailLines: number): string | undefined;
}

export class ApiServer {
  readonly store = new Store();
  readonly #time: VirtualTime;
  readonly #namespaces: ReadonlySet<string>;
  #uids = 0;
  /** Absent: nobody has any. */
  podLogs: PodLogs | undefined;

  constructor(time: VirtualTime, namespaces: readonly string[]) {
    this.#time = time;
    this.#namespaces = new Set(namespaces);
  }

  get(resource: Resource, key: ObjectKey): Stored {
    return this.#find(resource, key, callOf("GET", resource, key));
  }

  list(
    resource: Resource,
    { namespace, labelSelector, fieldSelector }: ListOptions,
  ): { items: Stored[]; resourceVersion: string } {
    const items = this.store
      .all(resource.plural)
      .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace)
      .filter(({ metadata }) => selects(labelSelector, metadata.labels))
      .filter((object) => selectsByFields(fieldSelector, object));
    return { items, resourceVersion: String(this.store.version) };
  }

  podLog(key: ObjectKey, { tailLines, container }: LogOptions): string {
    const call = callOf("GET", pods, key, "log");
    const { uid } = this.#find(pods, key, call).metadata;
    let text: string | undefined;
    try {
      text = this.podLogs?.read(uid, tailLines);
    } catch (error: unknown) {
      throw refuse(call, 500, "InternalError", (error as Error).message);
    }
    if (text !== undefined) return text;
    const why = `container "${container ?? "worker"}" in pod "${key.name}" is waiting to start: ContainerCreating`;
    throw badRequest(call, why);
  }

  create(resource: Resource, object: KubeObject, { dryRun = false }: CreateOptions = {}): Stored {
    const { name, namespace } = object.metadata;
    const call = callOf("POST", resource, object.metadata);
    // The storage says so, which a dry run does not come to.
    if (object.metadata.resourceVersion !== undefined && !dryRun) {
      throw refuse(call, 500, "InternalError", "resourceVersion should not be set on objects to be created");
    }
    if (resource.namespaced && !this.#namespaces.has(namespace ?? "")) {
      throw refuse(call, 404, "NotFound", `namespaces "${namespace}" not found`);
    }
    const namePattern = resource.plural === "services" ? serviceName : dnsSubdomain;
    if (!namePattern.test(name)) throw invalid(call, resource, name, "metadata.name", "a lowercase RFC 1123 subdomain");
    if (areAnnotationsTooLong(object.metadata.annotations)) throw invalid(call, resource, name, ...tooLong);
    const { status: _, ...rest } = object as Stored;
    checkSchema(call, resource, rest);
    const key = storeKey(resource, namespace, name);
    if (this.store.get(resource.plural, key) !== undefined) throw alreadyExists(call, resource, name);
    const metadata = {
      ...object.metadata,
      uid: `uid-${++this.#uids}`,
      creationTimestamp: this.#now(),
      ...(hasGeneration(resource) ? { generation: 1 } : {}),
    };
    const isPod = resource.plural === "pods";
    const stored = { ...rest, metadata, ...(isPod ? { status: { phase: "Pending" } } : {}) };
    return dryRun ? (stored as Stored) : this.store.put(resource.plural, key, stored as Stored);
  }

  patch(resource: Resource, key: ObjectKey, patch: Patch, subresource?: string): Stored {
    const call = callOf("PATCH", resource, key, subresource);
    const before = this.#find(resource, key, call);
    return this.#update(resource, before, patched(before, patch, call), subresource, call);
  }

  /** What a kubelet does: the whole status, whatever there was. */
  replaceStatus(resource: Resource, key: ObjectKey, status: object): void {
    const before = this.get(resource, key);
    if (!isDeepStrictEqual(before.status, status)) this.#put(resource, { ...before, status });
  }

  replace(resource: Resource, object: KubeObject, subresource?: string): Stored {
    const call = callOf("PUT", resource, object.metadata, subresource);
    const before = this.#find(resource, object.metadata, call);
    if (isCustom(resource) && object.metadata.resourceVersion === undefined) {
      throw invalid(
        call,
        resource,
        before.metadata.name,
        "metadata.resourceVersion",
        "must be specified for an update",
      );
    }
    return this.#update(resource, before, object as Stored, subresource, call);
  }

  delete(resource: Resource, key: ObjectKey, options: DeleteOptions = {}): void {
    const call = callOf("DELETE", resource, key);
    const before = this.#find(resource, key, call);
    const { uid, resourceVersion, gracePeriodSeconds, propagationPolicy } = options;
    if (uid !== undefined && uid !== before.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid}`;
      throw conflict(call, resource, key.name, why);
    }
    const present = before.metadata.resourceVersion;
    if (resourceVersion !== undefined && resourceVersion !== present) {
      const why = `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${present}`;
      throw conflict(call, resource, key.name, why);
    }
    if (before.metadata.deletionTimestamp !== undefined) {
      this.#shortenGrace(resource, before, gracePeriodSeconds);
      return;
    }
    const finalizers = withPropagation(before.metadata.finalizers ?? [], propagationPolicy);
    const isPod = resource.plural === "pods";
    if (!isPod && finalizers.length === 0) {
      this.store.remove(resource.plural, storeKey(resource, key.namespace, key.name));
      return;
    }
    const graceSeconds = isPod ? podGrace(before as unknown as Pod, gracePeriodSeconds) : 0;
    const { generation } = before.metadata;
    this.#end(resource, before, graceSeconds, {
      ...(generation === undefined ? {} : { generation: generation + 1 }),
      ...(finalizers.length === 0 ? {} : { finalizers }),
    });
  }

  /** Of what is being deleted already, the grace period can only become shorter. */
  #shortenGrace(resource: Resource, before: Stored, graceSeconds: number | undefined): void {
    const { deletionGracePeriodSeconds: present = 0 } = before.metadata as Ending;
    if (resource.plural !== "pods" || graceSeconds === undefined || graceSeconds >= present) return;
    this.#end(resource, before, graceSeconds, {});
  }

  /** Lets the object end within that time: at once where nothing holds it. */
  #end(resource: Resource, before: Stored, graceSeconds: number, more: Partial<ObjectMeta>): void {
    const { namespace, name } = before.metadata;
    const metadata = {
      ...before.metadata,
      ...more,
      deletionTimestamp: this.#now(graceSeconds),
      deletionGracePeriodSeconds: graceSeconds,
    };
    const ending = this.#put(resource, { ...before, metadata });
    if (isFree(ending)) this.store.remove(resource.plural, storeKey(resource, namespace, name));
  }

  #find(resource: Resource, key: ObjectKey, call: Call): Stored {
    const found = this.store.get(resource.plural, storeKey(resource, key.namespace, key.name));
    if (found === undefined) throw notFound(call, resource, key.name);
    return found;
  }

  #update(resource: Resource, before: Stored, wanted: Stored, subresource: string | undefined, call: Call): Stored {
    const { name } = before.metadata;
    const { resourceVersion, uid } = wanted.metadata as ObjectMeta;
    if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) {
      throw conflict(
        call,
        resource,
        name,
        "the object has been modified; please apply your changes to the latest version",
      );
    }
    const checksUid = !(isCustom(resource) && subresource === "status");
    if (checksUid && uid !== undefined && uid !== before.metadata.uid) {
      throw invalid(call, resource, name, "metadata.uid", `Invalid value: "${uid}": field is immutable`);
    }
    const after = subresource === "status" ? withStatus(before, wanted) : withoutStatus(before, wanted);
    if (areAnnotationsTooLong(after.metadata.annotations)) throw invalid(call, resource, name, ...tooLong);
    checkSchema(call, resource, after);
    if (resource.plural === "pods" && !isDeepStrictEqual(after.spec, before.spec)) {
      throw invalid(call, resource, name, "spec", "Forbidden: pod updates may not change fields other than …");
    }
    const { deletionTimestamp, finalizers = [] } = before.metadata;
    if (deletionTimestamp !== undefined && after.metadata.finalizers?.some((one) => !finalizers.includes(one))) {
      const why = "Forbidden: no new finalizers can be added if the object is being deleted";
      throw invalid(call, resource, name, "metadata.finalizers", why);
    }
    if (isDeepStrictEqual(after, before)) return before;
    const { generation } = after.metadata;
    if (isFree(after)) {
      this.store.remove(resource.plural, storeKey(resource, after.metadata.namespace, name));
      return after;
    }
    const isNewSpec = generation !== undefined && !isDeepStrictEqual(after.spec, before.spec);
    return this.#put(
      resource,
      isNewSpec ? { ...after, metadata: { ...after.metadata, generation: generation + 1 } } : after,
    );
  }

  #put(resource: Resource, object: Stored): Stored {
    const { namespace, name } = object.metadata;
    return this.store.put(resource.plural, storeKey(resource, namespace, name), object);
  }

  #now(inSeconds = 0): string {
    return new Date(this.#time.nowMs + inSeconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
  }
}

const tooLong = ["metadata.annotations", `Too long: may not be more than ${mostAnnotationBytes} bytes`] as const;

function callOf(method: Method, resource: Resource, key: ObjectKey, subresource?: string): Call {
  return { method, path: objectPath(resource, key, subresource) };
}

function checkSchema(call: Call, resource: Resource, object: Pick<Stored, "metadata">): void {
  const problem = schemaProblem(resource, object);
  if (problem !== undefined) throw invalid(call, resource, object.metadata.name, ...problem);
}

function patched(before: Stored, patch: Patch, call: Call): Stored {
  if (patch.type === "merge") return mergePatch(before, patch.body) as Stored;
  if (patch.type === "apply") throw badRequest(call, "an apply patch is beyond this model");
  try {
    return jsonPatch.applyPatch(structuredClone(before), [...patch.body], true).newDocument;
  } catch (error: unknown) {
    if (!(error instanceof jsonPatch.JsonPatchError)) throw error;
    throw refuse(call, 422, "Invalid", "the server rejected our request due to an error in our request");
  }
}

interface Ending {
  deletionGracePeriodSeconds?: number;
}

/** Whether nothing holds any more what is being deleted. */
function isFree({ metadata }: Stored): boolean {
  const { deletionTimestamp, finalizers = [] } = metadata;
  return deletionTimestamp !== undefined && finalizers.length === 0 && !(metadata as Ending).deletionGracePeriodSeconds;
}

/** Whether a CustomResourceDefinition stands behind it. */
function isCustom({ group }: Resource): boolean {
  return group.includes(".") && !group.endsWith(".k8s.io");
}

function hasGeneration({ plural }: Resource): boolean {
  return plural !== "services" && plural !== "events";
}

/** The Pod's grace period: none left where there is no process to end. */
function podGrace({ spec, status }: Pod, asked: number | undefined): number {
  if (spec.nodeName === undefined || status?.phase === "Succeeded" || status?.phase === "Failed") return 0;
  return asked ?? spec.terminationGracePeriodSeconds ?? podGraceSeconds;
}

function withPropagation(finalizers: readonly string[], policy: DeleteOptions["propagationPolicy"]): string[] {
  if (policy === "Orphan") return [...finalizers, "orphan"];
  if (policy === "Foreground") return [...finalizers, "foregroundDeletion"];
  return [...finalizers];
}

/** Of a write to the status subresource, the status alone counts. */
function withStatus(before: Stored, { status }: Stored): Stored {
  return { ...before, ...(status === undefined ? {} : { status }) };
}

/** Of any other write, everything but the status and what the server itself keeps. */
function withoutStatus(before: Stored, wanted: Stored): Stored {
  const { uid, resourceVersion, creationTimestamp, generation, deletionTimestamp } = before.metadata;
  const kept = { uid, resourceVersion, creationTimestamp, generation, deletionTimestamp };
  const metadata = { ...wanted.metadata } as Record<string, unknown>;
  for (const [name, value] of Object.entries(kept)) {
    if (value === undefined) delete metadata[name];
    else metadata[name] = value;
  }
  const { status: _, ...rest } = wanted;
  return { ...rest, metadata: metadata as never, ...(before.status === undefined ? {} : { status: before.status }) };
}
