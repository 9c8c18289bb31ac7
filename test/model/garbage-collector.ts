// The garbage collector: objects whose owners are all gone go too, unless the owner was deleted as an orphaning one: then
// they are let go first (https://kubernetes.io/docs/concepts/architecture/garbage-collection/).
import { loadtestresults, loadtests, pods, type Resource, services } from "../../lib/kube/resource.ts";
import type { ApiServer } from "./api-server.ts";
import type { Change, Stored } from "./store.ts";
import type { VirtualTime } from "./virtual-time.ts";

const resources: readonly Resource[] = [pods, loadtests, loadtestresults, services];

export interface GarbageCollectorOptions {
  readonly time: VirtualTime;
  readonly server: ApiServer;
  /** How long it takes to notice a change, ms. */
  readonly delayMs: () => number;
}

export class GarbageCollector {
  readonly #options: GarbageCollectorOptions;

  constructor(options: GarbageCollectorOptions) {
    this.#options = options;
    options.server.store.listen((change) => this.#notice(change));
  }

  #notice({ object, before, isDeletion, plural }: Change): void {
    const { time, delayMs } = this.#options;
    if (isDeletion) time.after(delayMs(), () => this.#collectDependents(object.metadata.uid));
    else if (before === undefined && (object.metadata.ownerReferences ?? []).length > 0) {
      time.after(delayMs(), () => this.#collect(object));
    } else if (object.metadata.finalizers?.includes("orphan") && !before?.metadata.finalizers?.includes("orphan")) {
      time.after(delayMs(), () => this.#orphanDependents(plural, object));
    }
  }

  #collectDependents(ownerUid: string): void {
    for (const dependent of this.#dependents(ownerUid)) this.#collect(dependent);
  }

  #collect({ kind, metadata }: Stored): void {
    const { store } = this.#options.server;
    const resource = resourceOf(kind);
    const live = store.all(resource.plural).find((object) => object.metadata.uid === metadata.uid);
    const owners = live?.metadata.ownerReferences ?? [];
    if (live === undefined || owners.length === 0 || owners.some(({ uid }) => this.#exists(uid))) return;
    if (live.metadata.deletionTimestamp === undefined) this.#options.server.delete(resource, keyOf(live));
  }

  #orphanDependents(plural: string, owner: Stored): void {
    const { server } = this.#options;
    for (const dependent of this.#dependents(owner.metadata.uid)) {
      const ownerReferences = dependent.metadata.ownerReferences?.filter(({ uid }) => uid !== owner.metadata.uid);
      const body = { metadata: { ownerReferences: ownerReferences?.length ? ownerReferences : null } };
      server.patch(resourceOf(dependent.kind), keyOf(dependent), { type: "merge", body });
    }
    const live = server.store.all(plural).find(({ metadata }) => metadata.uid === owner.metadata.uid);
    if (live === undefined) return;
    const finalizers = live.metadata.finalizers?.filter((name) => name !== "orphan");
    server.patch(resourceOf(live.kind), keyOf(live), { type: "merge", body: { metadata: { finalizers } } });
  }

  #dependents(ownerUid: string): Stored[] {
    return resources.flatMap(({ plural }) =>
      this.#options.server.store
        .all(plural)
        .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === ownerUid)),
    );
  }

  #exists(uid: string): boolean {
    return resources.some(({ plural }) =>
      this.#options.server.store.all(plural).some(({ metadata }) => metadata.uid === uid),
    );
  }
}

function resourceOf(kind: string): Resource {
  return resources.find((resource) => resource.kind === kind) as Resource;
}

function keyOf({ metadata: { namespace = "", name } }: Stored): { namespace: string; name: string } {
  return { namespace, name };
}
