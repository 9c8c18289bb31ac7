// The model of the API server against a real one: the same calls have the same outcomes, and watches show the same.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ApiError } from "../../lib/kube/api-error.ts";
import type { KubeClient, Patch } from "../../lib/kube/client.ts";
import { HttpKubeClient } from "../../lib/kube/http-client.ts";
import { loadConnection } from "../../lib/kube/kubeconfig.ts";
import { pods, type Resource } from "../../lib/kube/resource.ts";
import type { KubeObject } from "../../lib/plan/objects.ts";
import { Chance } from "../chance.ts";
import { ApiServer } from "../model/api-server.ts";
import { ModelClient, type Way } from "../model/client.ts";
import { VirtualTime } from "../model/virtual-time.ts";
import { type ApiCall, names, namespace, nobodys, randomCall, things, type Which } from "./api-calls.ts";
import { eventually, kubeconfig, kubectl } from "./kubectl.ts";

const sequences = 12;
const callsOfEach = 40;

const definition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${things.plural}.${things.group}` },
  spec: {
    group: things.group,
    scope: "Namespaced",
    names: { plural: things.plural, singular: "thing", kind: things.kind, listKind: "ThingList" },
    versions: [
      {
        name: things.version,
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
      },
    ],
  },
};

/** A server, with the uids and versions that it gave to objects by name. */
class Side {
  readonly client: KubeClient;
  readonly #known = new Map<string, { uid: string; version: string }[]>();

  constructor(client: KubeClient) {
    this.client = client;
  }

  /** What comes of a call, in the words of both sides. */
  async outcome(call: ApiCall): Promise<unknown> {
    try {
      return await this.#make(call);
    } catch (error: unknown) {
      if (!(error instanceof ApiError)) throw error;
      return { code: error.code, reason: error.reason };
    }
  }

  async #make(call: ApiCall): Promise<unknown> {
    const { client } = this;
    const { resource } = call;
    if (call.do === "list") {
      const { items } = await client.list(resource, {
        namespace,
        ...(call.labelSelector && { labelSelector: call.labelSelector }),
        ...(call.fieldSelector && { fieldSelector: call.fieldSelector }),
      });
      return items.map(essence).toSorted((a, b) => (String(a["name"]) < String(b["name"]) ? -1 : 1));
    }
    if (call.do === "create") {
      const object = await client.create(resource, call.object, { dryRun: call.dryRun });
      return call.dryRun ? essence(object) : this.#learn(resource, object);
    }
    const key = { namespace, name: call.name };
    const { uid, version } = this.#present(resource, call.name);
    switch (call.do) {
      case "get":
        return this.#learn(resource, await client.get(resource, key));
      case "patch": {
        const named = withIdentity(call.patch, identityOf(call.uid, uid), identityOf(call.version, version));
        const options = call.subresource === undefined ? {} : { subresource: call.subresource };
        return this.#learn(resource, await client.patch(resource, key, named, options));
      }
      case "replace": {
        const object = await client.get(resource, key);
        const { resourceVersion: _, ...rest } = object.metadata;
        const wanted = identityOf(call.version, version);
        const metadata = { ...rest, labels: call.labels, ...(wanted === undefined ? {} : { resourceVersion: wanted }) };
        return this.#learn(resource, await client.replace(resource, { ...object, metadata } as KubeObject));
      }
      case "delete": {
        const wanted = identityOf(call.uid, uid);
        await client.delete(resource, key, { ...call.options, ...(wanted === undefined ? {} : { uid: wanted }) });
        return "deleted";
      }
    }
  }

  /** Remembers the object; tells whether its version is a new one. */
  #learn(resource: Resource, object: KubeObject): unknown {
    const { name, uid = "", resourceVersion = "" } = object.metadata;
    const key = `${resource.plural}/${name}`;
    const list = this.#known.get(key) ?? [];
    this.#known.set(key, list);
    const isNew = list.at(-1)?.version !== resourceVersion;
    if (isNew) list.push({ uid, version: resourceVersion });
    return { ...essence(object), isNew };
  }

  #present(resource: Resource, name: string): { uid: string; version: string } {
    return this.#known.get(`${resource.plural}/${name}`)?.at(-1) ?? nobody;
  }
}

const nobody = { uid: "00000000-0000-0000-0000-000000000000", version: "1" };

function identityOf(which: Which, present: string): string | undefined {
  if (which === "none") return undefined;
  return which === "present" ? present : present.includes("-") ? nobody.uid : nobody.version;
}

function withIdentity(patch: Patch, uid: string | undefined, resourceVersion: string | undefined): Patch {
  if (patch.type === "json") {
    const test = uid === undefined ? [] : [{ op: "test" as const, path: "/metadata/uid", value: uid }];
    return { ...patch, body: [...test, ...patch.body] };
  }
  const { metadata, ...rest } = patch.body as { metadata?: object };
  const identity = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  return { ...patch, body: { ...rest, metadata: { ...metadata, ...identity } } } as Patch;
}

/** What both servers should agree about: neither identity and instants nor what a server adds by itself. */
function essence(object: KubeObject): Record<string, unknown> {
  const { name, labels, annotations, finalizers, generation, deletionTimestamp } = object.metadata;
  const { spec, status } = object as { spec?: { nodeName?: string }; status?: { phase?: string; reason?: string } };
  const isPod = object.kind === "Pod";
  return {
    name,
    labels,
    annotations,
    finalizers,
    generation,
    isGoing: deletionTimestamp !== undefined,
    graceSeconds: (object.metadata as { deletionGracePeriodSeconds?: number }).deletionGracePeriodSeconds,
    spec: isPod ? { nodeName: spec?.nodeName } : spec,
    status: isPod ? { phase: status?.phase, reason: status?.reason } : status,
  };
}

describe.skipIf(kubeconfig === "")("the model of the API server and a real one", () => {
  let real: KubeClient;

  beforeAll(async () => {
    real = new HttpKubeClient(await loadConnection({ kubeconfig, namespace }));
    await kubectl(["apply", "-f", "-"], JSON.stringify(definition));
    await kubectl(["wait", "--for=condition=Established", `crd/${definition.metadata.name}`, "--timeout=30s"]);
    await kubectl(["create", "namespace", namespace]);
    await kubectl(["wait", "--for=create", "serviceaccount/default", "-n", namespace, "--timeout=30s"]);
  }, 60_000);

  afterAll(async () => {
    for (const resource of [things, pods]) await clear(real, resource);
    await kubectl(["delete", "namespace", namespace, "--ignore-not-found"]);
    await kubectl(["delete", "crd", definition.metadata.name, "--ignore-not-found"]);
  }, 60_000);

  for (const resource of [things, pods] as Resource[]) {
    test(`${resource.plural}: calls by chance have the same outcomes and the same events`, async () => {
      for (let seed = 1; seed <= sequences; seed++) {
        await clear(real, resource);
        const model = modelClient();
        const sides = [new Side(real), new Side(model.client)] as const;
        const eventsOf = await Promise.all([recordEvents(real, resource), recordEvents(model.client, resource)]);
        const chance = new Chance(seed, resource.plural.length);
        const told: unknown[][] = [[], []];
        for (let number = 0; number < callsOfEach; number++) {
          const call = randomCall(chance, resource);
          const outcomes = await Promise.all(sides.map((side) => side.outcome(call)));
          for (const [side, outcome] of outcomes.entries())
            told[side]?.push({ call: describeCall(call, seed), outcome });
          if (!Bun.deepEquals(outcomes[0], outcomes[1])) break;
        }
        expect(told[1]).toEqual(told[0] as unknown[]);
        const [realEvents, modelEvents] = await Promise.all(eventsOf.map((end) => end()));
        expect({ seed, events: modelEvents }).toEqual({ seed, events: realEvents });
      }
    }, 300_000);
  }
});

function describeCall({ resource, ...call }: ApiCall, seed: number): unknown {
  return { seed, kind: resource.kind, ...call };
}

/** The model behind its client, answering at once. */
function modelClient(): { client: KubeClient } {
  const time = new VirtualTime(Date.now());
  const way: Way = {
    fateOf: () => {
      queueMicrotask(() => time.runUntil(time.nowMs)); // whatever has been asked by then is done
      return "served";
    },
    latencyMs: () => 0,
    disturbanceOf: () => "none",
    streamLengthMs: () => 1e9,
    happened: () => {},
    crashed: () => {},
    blindlyDeleted: () => {},
    createdLate: () => {},
    underWay: { calls: 0 },
    random: () => 0,
    isWeighed: false,
  };
  return { client: new ModelClient(time, new ApiServer(time, [namespace]), way) };
}

/** Records events from now on; the function that this returns ends that, and gives them by object. */
async function recordEvents(client: KubeClient, resource: Resource): Promise<() => Promise<unknown>> {
  const { resourceVersion } = await client.list(resource, { namespace });
  const end = new AbortController();
  const events: Record<string, unknown[]> = {};
  const last = Promise.withResolvers<void>();
  const watch = async () => {
    for await (const { type, object } of client.watch(resource, { namespace, resourceVersion, signal: end.signal })) {
      if (type === "BOOKMARK") continue;
      const { name } = object.metadata;
      if (name === "last") last.resolve();
      else events[name] = [...(events[name] ?? []), { type, ...essence(object) }];
    }
  };
  const watched = watch().catch((error: unknown) => {
    if (!end.signal.aborted) last.reject(error);
  });
  return async () => {
    const metadata = { namespace, name: "last" };
    const spec = { ...nobodys, containers: [{ name: "worker", image: "none" }] };
    const apiVersion = resource.group === "" ? "v1" : `${resource.group}/v1`;
    await client.create(resource, { apiVersion, kind: resource.kind, metadata, spec } as KubeObject);
    await last.promise;
    end.abort();
    await watched;
    return events;
  };
}

async function clear(client: KubeClient, resource: Resource): Promise<void> {
  for (const name of [...names, "last"]) {
    const key = { namespace, name };
    const gone = async () => {
      await client.patch(resource, key, { type: "merge", body: { metadata: { finalizers: null } } }).catch(() => {});
      await client.delete(resource, key, { gracePeriodSeconds: 0 }).catch(() => {});
      return client.get(resource, key).then(
        () => false,
        () => true,
      );
    };
    await eventually(gone, (isGone) => isGone);
  }
}
