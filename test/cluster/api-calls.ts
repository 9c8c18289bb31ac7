// Calls by chance, of the kinds that this program makes and of the bad ones that it must not make, in words that mean the
// same to the model of the API server and to a real one: uids and versions are those that the object has then.
import type { DeleteOptions, Patch } from "../../lib/kube/client.ts";
import type { Resource } from "../../lib/kube/resource.ts";
import type { KubeObject, Pod } from "../../lib/plan/objects.ts";
import type { Chance } from "../chance.ts";

export const namespace = "model-test";
export const names = ["one", "two"];

interface Thing extends KubeObject {
  spec?: unknown;
  status?: unknown;
}

/** As LoadTests are to an API server, and nobody else's business. */
export const things: Resource<Thing> = {
  group: "model-test.kuar.com",
  version: "v1",
  plural: "things",
  kind: "Thing",
  namespaced: true,
};

/** Which uid or version a call names: that of the object as it is, that of an earlier one, or none. */
export type Which = "present" | "stale" | "none";

export type ApiCall =
  | { do: "create"; resource: Resource; object: KubeObject; dryRun: boolean }
  | { do: "get"; resource: Resource; name: string }
  | { do: "list"; resource: Resource; labelSelector?: string; fieldSelector?: string }
  | { do: "patch"; resource: Resource; name: string; patch: Patch; uid: Which; version: Which; subresource?: string }
  | { do: "replace"; resource: Resource; name: string; labels: Record<string, string>; version: Which }
  | { do: "delete"; resource: Resource; name: string; uid: Which; options: Omit<DeleteOptions, "uid"> };

/** Of Pods that no scheduler touches. */
export const nobodys = { schedulerName: "nobody" };

/** A Pod that no kubelet looks after, whether bound to a node or not. */
function podObject(name: string, isBound: boolean): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace, name, labels: { which: "a" }, annotations: { plan: "1" } },
    spec: {
      ...nobodys,
      ...(isBound ? { nodeName: "no-such-node" } : {}),
      terminationGracePeriodSeconds: 15,
      containers: [{ name: "worker", image: "none" }],
    },
  };
}

function thingObject(name: string, rate: number): Thing {
  const metadata = { namespace, name, labels: { which: rate % 2 === 0 ? "a" : "b" } };
  return {
    apiVersion: "model-test.kuar.com/v1",
    kind: "Thing",
    metadata,
    spec: { rate },
    status: { phase: "ignored" },
  };
}

export function randomCall(chance: Chance, resource: Resource): ApiCall {
  const name = chance.pick(names);
  const isPod = resource.plural === "pods";
  const which = () => chance.pick<Which>(["present", "present", "stale", "none"]);
  switch (chance.below(13)) {
    case 0:
    case 1:
    case 2:
      return {
        do: "create",
        resource,
        object: maybeBad(chance, isPod ? podObject(name, chance.oneIn(2)) : thingObject(name, chance.below(4))),
        dryRun: chance.oneIn(6),
      };
    case 3:
      return { do: "get", resource, name };
    case 4:
      return {
        do: "list",
        resource,
        ...(chance.oneIn(2) ? { labelSelector: "which=a" } : {}),
        ...(chance.oneIn(3) ? { fieldSelector: `metadata.name=${name}` } : {}),
      };
    case 5:
    case 6: {
      const body = isPod
        ? { metadata: { annotations: { plan: `${chance.below(3)}` } } }
        : {
            spec: { rate: chance.oneIn(4) ? null : chance.below(3) },
            metadata: { labels: { which: chance.pick(["a", "b"]) } },
          };
      return { do: "patch", resource, name, patch: { type: "merge", body }, uid: which(), version: "none" };
    }
    case 7: {
      const finalizers = chance.oneIn(2) ? ["kuar.com/wait"] : null;
      return {
        do: "patch",
        resource,
        name,
        patch: { type: "merge", body: { metadata: { finalizers } } },
        uid: "none",
        version: which(),
      };
    }
    case 8: {
      const status = isPod
        ? { reason: chance.pick(["A", "B"]) }
        : { phase: chance.pick(["A", "B"]), count: chance.oneIn(2) ? null : 1 };
      const patch: Patch = { type: "merge", body: { status, ...(isPod ? {} : { spec: { rate: 77 } }) } };
      return { do: "patch", resource, name, patch, uid: which(), version: which(), subresource: "status" };
    }
    case 9: {
      const patch: Patch = {
        type: "json",
        body: [{ op: "add", path: "/status", value: { phase: chance.pick(["Pending", "Running"]) } }],
      };
      return { do: "patch", resource, name, patch, uid: which(), version: "none", subresource: "status" };
    }
    case 10: {
      // As a worker is told another plan: unless it has got one meanwhile, or is another one.
      const path = isPod ? "/metadata/annotations/plan" : "/metadata/labels/which";
      const [former, next] = isPod ? [`${chance.below(3)}`, `${chance.below(3)}`] : [chance.pick(["a", "b"]), "c"];
      const body = [
        { op: "test" as const, path, value: former },
        { op: "replace" as const, path, value: next },
      ];
      return { do: "patch", resource, name, patch: { type: "json", body }, uid: which(), version: "none" };
    }
    case 11:
      return { do: "replace", resource, name, labels: { which: chance.pick(["a", "b", "c"]) }, version: which() };
    default: {
      const options = chance.oneIn(3) && isPod ? { gracePeriodSeconds: chance.pick([0, 5]) } : {};
      return { do: "delete", resource, name, uid: which(), options };
    }
  }
}

function maybeBad(chance: Chance, object: KubeObject): KubeObject {
  const { metadata } = object;
  switch (chance.below(8)) {
    case 0:
      return { ...object, metadata: { ...metadata, name: "Not_A_Name" } };
    case 1:
      return { ...object, metadata: { ...metadata, namespace: "no-such-namespace" } };
    case 2:
      return { ...object, metadata: { ...metadata, resourceVersion: "1" } };
    default:
      return object;
  }
}
