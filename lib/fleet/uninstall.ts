// The extension taken out of a cluster, in the order in which nothing is held up and no load is left behind: the webhooks
// first, then what makes load, then all else. Each step is over when everything of it is gone.
import { isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { loadtests, pods, type Resource, services } from "../kube/resource.ts";
import type { StepName } from "../manifest/extension.ts";
import { extensionNamespace } from "../manifest/names.ts";
import { workerLabels } from "../plan/metrics-service.ts";
import type { KubeObject, Observed } from "../plan/objects.ts";
import { findObject } from "./apply.ts";
import { remainsOf } from "./disappearance.ts";
import { namespaceOf, type Removal } from "./removal.ts";
import { controllerSelector, keyOf, resourceOf, selectorOf } from "./resources.ts";
import { waitUntil } from "./waiting.ts";
import type { Watcher } from "./watcher.ts";

const deletedAtOnce = 32;
/** What LoadTests own. Once their kind is gone, the garbage collector can no longer tell that they are. */
const dependents = [pods, services] as readonly Resource[];

export interface UninstallOptions {
  /** For each step to be over. */
  timeoutMs: number;
  stop: AbortSignal;
  watcher: Watcher;
}

type Found = Observed<KubeObject>;

/** Resolves when all of it is gone. Rejects with what remains of a step, and why. */
export async function uninstall(client: KubeClient, removal: Removal, options: UninstallOptions): Promise<void> {
  const dismantling = new Dismantling(client, removal, options);
  const { keepsKinds } = removal.scope;
  await dismantling.take("webhooks");
  if (!keepsKinds) {
    await dismantling.remove(
      "LoadTests",
      removal.data.filter(({ kind }) => kind === loadtests.kind),
    );
    await dismantling.remove(
      "Canaries",
      removal.data.filter(({ kind }) => kind !== loadtests.kind),
    );
    await dismantling.awaitWorkers("the garbage collector has ended them", dependents);
    await dismantling.take("kinds");
  }
  await dismantling.take("controller");
  if (keepsKinds) await dismantling.endWorkers();
  await dismantling.take("belongings");
  await dismantling.take("rights");
  await dismantling.take("namespace");
}

class Dismantling {
  readonly #client: KubeClient;
  readonly #removal: Removal;
  readonly #options: UninstallOptions;

  constructor(client: KubeClient, removal: Removal, options: UninstallOptions) {
    this.#client = client;
    this.#removal = removal;
    this.#options = options;
  }

  take(step: StepName): Promise<void> {
    return this.remove(step, this.#removal.own.get(step) ?? []);
  }

  /** Deletes the objects, whatever they own is the garbage collector's, and waits until they are gone. */
  async remove(step: string, objects: readonly Found[]): Promise<void> {
    if (objects.length === 0) return;
    const { watcher } = this.#options;
    watcher.begin(step);
    await this.#delete(objects);
    let left = objects;
    await this.#wait(step, async () => {
      left = (await this.#remaining(left)).map(({ live }) => live);
      const remaining = [...left, ...(step === "controller" ? await this.#controllerPods() : [])];
      return remaining.length === 0 ? undefined : remainsOf(remaining);
    });
    for (const object of objects) watcher.tell(object, "deleted");
    watcher.done("gone");
  }

  /**
   * @param words Who has ended them, where there were any.
   * @param resources Pods, and what else is of workers.
   */
  async awaitWorkers(words: string, resources: readonly Resource[] = [pods]): Promise<void> {
    if (this.#removal.workers.length === 0 && (await this.#workers(resources)).length === 0) return;
    const { watcher } = this.#options;
    watcher.begin("workers");
    await this.#wait("workers", async () => {
      const left = await this.#workers(resources);
      return left.length === 0 ? undefined : remainsOf(left);
    });
    watcher.done(words);
  }

  /** Load is not left without a controller: where LoadTests stay, their Pods do not. */
  async endWorkers(): Promise<void> {
    await this.#delete(await this.#workers([pods]));
    await this.awaitWorkers("ended; LoadTests that were running go on when a controller is there again");
  }

  async #delete(objects: readonly Found[]): Promise<void> {
    for (let index = 0; index < objects.length; index += deletedAtOnce) {
      const { stop } = this.#options;
      if (stop.aborted) throw new Error(`Cannot uninstall: interrupted by ${stop.reason}`);
      await Promise.all(objects.slice(index, index + deletedAtOnce).map((object) => this.#deleteOne(object)));
    }
  }

  async #deleteOne(object: Found): Promise<void> {
    try {
      await this.#client.delete(resourceOf(object), keyOf(object), { propagationPolicy: "Background" });
    } catch (error: unknown) {
      if (!isNotFound(error)) throw error;
    }
  }

  async #remaining(objects: readonly Found[]): Promise<{ live: Found }[]> {
    const found = await Promise.all(objects.map((object) => findObject(this.#client, object)));
    // Of the same name, but another one: somebody has made it anew.
    return found.flatMap((live, index) =>
      live?.metadata.uid === objects[index]?.metadata.uid && live ? [{ live }] : [],
    );
  }

  async #controllerPods(): Promise<readonly Found[]> {
    const namespace = this.#removal.scope.namespace ?? extensionNamespace;
    return (await this.#client.list(pods, { namespace, labelSelector: controllerSelector })).items;
  }

  async #workers(resources: readonly Resource[]): Promise<readonly Found[]> {
    const { scope, otherNamespaces } = this.#removal;
    const where = scope.namespace === undefined ? {} : { namespace: scope.namespace };
    const options = { ...where, labelSelector: selectorOf(workerLabels) };
    const lists = await Promise.all(resources.map((resource) => this.#client.list(resource, options)));
    return lists.flatMap(({ items }) => items).filter((one) => !otherNamespaces.includes(namespaceOf(one)));
  }

  #wait(what: string, missing: () => Promise<string | undefined>): Promise<void> {
    const { timeoutMs, stop, watcher } = this.#options;
    return waitUntil(`Cannot remove the ${what}`, missing, {
      timeoutMs,
      stop,
      tell: (words) => watcher.waiting(words),
    });
  }
}
