// What an uninstallation would take away, and what it would leave and why: looked at before anybody is asked.
import { secrets } from "../cert/resources.ts";
import type { Access } from "../kube/access-review.ts";
import { isForbidden, isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import {
  canaries,
  collectionPath,
  loadtestresults,
  loadtests,
  pods,
  type Resource,
  services,
} from "../kube/resource.ts";
import { extensionSteps, type Placement, type StepName } from "../manifest/extension.ts";
import { extensionNamespace } from "../manifest/names.ts";
import { workerLabels } from "../plan/metrics-service.ts";
import type { KubeObject, Observed } from "../plan/objects.ts";
import { configMaps, controllerSelector, deployments, formatObject, selectorOf } from "./resources.ts";
import { access, accessTo, formatAccesses, missingAccess } from "./rights.ts";
import { survey } from "./survey.ts";

/** What is to go. */
export interface RemovalScope {
  /** Absent: the extension of the whole cluster; else the controller of this namespace. */
  namespace?: string;
  /** Kinds stay, and the objects of these kinds with them. */
  keepsKinds: boolean;
}

type Found = Observed<KubeObject>;

export interface Removal {
  scope: RemovalScope;
  /** The extension's own objects, by step. */
  own: ReadonlyMap<StepName, readonly Found[]>;
  /** LoadTests, then Canaries. */
  data: readonly Found[];
  /** How many results go with their LoadTests, by namespace. */
  results: ReadonlyMap<string, number>;
  /** Worker Pods, at present. */
  workers: readonly Found[];
  /** What else is in the extension's namespace, and goes with it. */
  strangers: readonly Found[];
  /** Namespaces with a controller of their own, whose LoadTests are not touched. */
  otherNamespaces: readonly string[];
  /** The kinds stay, because of this. */
  keptKinds?: string;
  /** What the caller would have to be allowed. */
  missing: readonly string[];
}

/** Looks at everything; what cannot be seen is among the rights that are missing. */
export async function planRemoval(client: KubeClient, scope: RemovalScope): Promise<Removal> {
  const { namespace, keepsKinds } = scope;
  const look = new Look(client);
  const where = namespace === undefined ? {} : { namespace };
  const ofWorkers = { ...where, labelSelector: selectorOf(workerLabels) };
  const [own, tests, shares, pods_, controllers] = await Promise.all([
    look.own(scope),
    look.list(loadtests, where),
    look.list(canaries, where),
    look.list(pods, ofWorkers),
    look.list(deployments, { labelSelector: controllerSelector }, namespace === undefined),
    keepsKinds ? undefined : look.list(services, ofWorkers), // whether it may be seen
  ]);
  const home = namespace ?? extensionNamespace;
  const others = [...new Set(controllers?.map(namespaceOf))].filter((other) => other !== home);
  const isOurs = (object: KubeObject) => !others.includes(namespaceOf(object));
  if (keepsKinds && namespace === undefined) refuseInside([...(tests ?? []), ...(shares ?? [])]);
  const data = keepsKinds ? [] : [...(tests ?? []), ...(shares ?? [])].filter(isOurs);
  const workers = (pods_ ?? []).filter(isOurs);
  const keptKinds = keepsKinds ? "they are to be kept" : await look.whyKindsStay(namespace, controllers && others);
  const kept = keptKinds === undefined ? [] : (own.get("kinds") ?? []);
  const deleted = [...[...own.values()].flat().filter((object) => !kept.includes(object)), ...data];
  const rights = [...deleted, ...(keepsKinds ? workers : [])].map((object) => accessTo("delete", object));
  const lacking = await missingAccess(client, rights);
  return {
    scope,
    own: new Map(own).set("kinds", keptKinds === undefined ? (own.get("kinds") ?? []) : []),
    data,
    results: await look.countResults([...new Set(data.map(namespaceOf))]),
    workers,
    strangers: (own.get("namespace") ?? []).length === 0 ? [] : await look.strangers([...own.values()].flat()),
    otherNamespaces: others,
    ...(keptKinds === undefined ? {} : { keptKinds }),
    missing: formatAccesses([...look.unseen, ...lacking]),
  };
}

/** What is in a namespace goes with it. */
function refuseInside(kept: readonly Found[]): void {
  const inside = kept.find((object) => namespaceOf(object) === extensionNamespace);
  if (inside === undefined) return;
  throw new Error(`Cannot keep ${formatObject(inside)}: its namespace is deleted, must be in another one`);
}

export function isNothing({ own, data, workers }: Removal): boolean {
  return [...own.values()].flat().length === 0 && data.length === 0 && workers.length === 0;
}

export function namespaceOf({ metadata }: KubeObject): string {
  return metadata.namespace ?? "";
}

interface Where {
  namespace?: string;
  labelSelector?: string;
}

/** Reads what the caller may read, and notes the rights that are needed and missing. */
class Look {
  /** Rights that are missing, with what they are on. */
  readonly unseen: Access[] = [];
  readonly #client: KubeClient;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** What there is of the extension; neither image nor replicas make a difference to what it is called. */
  async own({ namespace }: RemovalScope): Promise<Map<StepName, Found[]>> {
    const placement: Placement = namespace === undefined ? { kind: "cluster" } : { kind: "namespaced", namespace };
    const found = new Map<StepName, Found[]>();
    for (const { name, objects } of extensionSteps({ image: "any", replicas: 1, placement })) {
      const surveyed = await survey(this.#client, objects);
      // Who has one namespace only may not see the kinds, and leaves them.
      const unseen =
        namespace === undefined || name !== "kinds" ? surveyed.filter(({ live }) => live === "unseen") : [];
      this.unseen.push(...unseen.map(({ wanted }) => accessTo("get", wanted)));
      const live = surveyed.flatMap(({ live }) => (live === undefined || live === "unseen" ? [] : [live]));
      found.set(name, live);
    }
    return found;
  }

  /** Undefined: it may not be seen. */
  async list(resource: Resource, where: Where = {}, isNeeded = true): Promise<readonly Found[] | undefined> {
    try {
      return (await this.#client.list(resource, where)).items;
    } catch (error: unknown) {
      if (isNotFound(error)) return []; // the kind is not there
      if (!isForbidden(error)) throw error;
      const { namespace } = where;
      if (isNeeded) this.unseen.push(access("list", resource, namespace === undefined ? {} : { namespace }));
      return undefined;
    }
  }

  /** @param others Namespaces with a controller; undefined: not to be seen. */
  async whyKindsStay(
    namespace: string | undefined,
    others: readonly string[] | undefined,
  ): Promise<string | undefined> {
    const [other] = others ?? [];
    if (other !== undefined) return `the controller in namespace ${other} needs them`;
    if (namespace === undefined) return undefined;
    for (const resource of [loadtests, canaries]) {
      const found = others === undefined ? undefined : await this.list(resource, {}, false);
      if (found === undefined) return "you may not see whether others need them";
      const elsewhere = found.find((object) => namespaceOf(object) !== namespace);
      if (elsewhere !== undefined) return `there is ${formatObject(elsewhere)}`;
    }
    return undefined;
  }

  /** Without reading them, for they are large. */
  async countResults(among: readonly string[]): Promise<Map<string, number>> {
    const counts = await Promise.all(
      among.map(async (namespace): Promise<[string, number]> => {
        const path = `${collectionPath(loadtestresults, namespace)}?limit=1`;
        const { items, metadata } = JSON.parse(await this.#client.raw(path)) as ResultList;
        return [namespace, items.length + (metadata.remainingItemCount ?? 0)];
      }),
    );
    return new Map(counts.filter(([, count]) => count > 0));
  }

  /** What people put there, as far as it can be seen. */
  async strangers(own: readonly Found[]): Promise<Found[]> {
    const lists = await Promise.all(
      [deployments, services, configMaps, secrets].map((resource) =>
        this.list(resource, { namespace: extensionNamespace }, false),
      ),
    );
    const known = [...own.map(formatObject), `ConfigMap ${extensionNamespace}/kube-root-ca.crt`];
    return lists.flatMap((found = []) => found.filter((object) => !known.includes(formatObject(object))));
  }
}

interface ResultList {
  items: object[];
  metadata: { remainingItemCount?: number };
}
