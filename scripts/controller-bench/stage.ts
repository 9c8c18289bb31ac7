// A namespace of its own for each measurement, in which LoadTests are made and their Pods are awaited by a watch, both by
// a client that does not know which controller is at work.
import { isNotFound } from "../../lib/kube/api-error.ts";
import type { KubeClient } from "../../lib/kube/client.ts";
import {
  clusterResource,
  loadtests,
  namespacedResource,
  pods,
  type Resource,
  services,
} from "../../lib/kube/resource.ts";
import { apiVersion } from "../../lib/loadtest/api-group.ts";
import type { LoadTest } from "../../lib/loadtest/load-test.ts";
import { loadTestLabel } from "../../lib/plan/names.ts";
import type { KubeObject } from "../../lib/plan/objects.ts";
import { sleep } from "../../lib/runtime/clock.ts";

const namespaces = clusterResource("", "Namespace");
const accounts = namespacedResource("", "ServiceAccount");

/** No scheduler and no kubelet is in the figures: Pods with a gate wait for ever. */
const spec: LoadTest["spec"] = {
  service: "web",
  scheme: "http",
  requestsPerSecond: 100,
  paths: ["/", "/a"],
  podTemplate: { schedulingGates: [{ name: "beta.kuar.com/bench" }] },
};
/** Creations at once. */
const width = 20;
const patienceMs = 300_000;

export class Stage {
  readonly #client: KubeClient;
  readonly #namespace: string;
  readonly #stop: AbortSignal;
  readonly #watch = new AbortController();
  /** When the first Pod of each LoadTest was seen, by the LoadTest's name. */
  readonly #seenAtNs = new Map<string, number>();
  #heard: () => void = () => {};

  private constructor(client: KubeClient, namespace: string, stop: AbortSignal) {
    this.#client = client;
    this.#namespace = namespace;
    this.#stop = stop;
  }

  /** Runs `play` on a new stage, which is gone when this resolves. */
  static async use<T>(client: KubeClient, stop: AbortSignal, play: (stage: Stage) => Promise<T>): Promise<T> {
    const stage = new Stage(client, `loadtest-bench-${crypto.randomUUID().slice(0, 8)}`, stop);
    try {
      await stage.#open();
      return await play(stage);
    } finally {
      await stage.#close();
    }
  }

  async #open(): Promise<void> {
    const [client, namespace] = [this.#client, this.#namespace];
    await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    await client.create(services, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web", namespace },
      spec: { ports: [{ port: 80 }] },
    });
    while (!(await this.#exists(accounts, "default", namespace))) await sleep(100); // without it no Pod is admitted
    const { resourceVersion } = await client.list(pods, { namespace });
    void this.#listen(resourceVersion);
  }

  async #close(): Promise<void> {
    this.#watch.abort();
    await this.#client.delete(namespaces, { name: this.#namespace });
    while (await this.#exists(namespaces, this.#namespace)) await sleep(500);
    await sleep(2000); // what the garbage collector still has to do
  }

  async #exists(resource: Resource, name: string, namespace?: string): Promise<boolean> {
    try {
      await this.#client.get<KubeObject>(resource, namespace === undefined ? { name } : { name, namespace });
      return true;
    } catch (error: unknown) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async #listen(from: string): Promise<void> {
    const signal = AbortSignal.any([this.#watch.signal, this.#stop]);
    let resourceVersion = from;
    while (!signal.aborted) {
      try {
        const options = { namespace: this.#namespace, labelSelector: loadTestLabel, resourceVersion, signal };
        for await (const { type, object } of this.#client.watch(pods, options)) {
          resourceVersion = object.metadata.resourceVersion;
          const owner = object.metadata.labels?.[loadTestLabel];
          if (type === "BOOKMARK" || owner === undefined) continue;
          if (type === "DELETED") this.#seenAtNs.delete(owner);
          else if (!this.#seenAtNs.has(owner)) this.#seenAtNs.set(owner, Bun.nanoseconds());
          this.#heard();
        }
      } catch {
        await sleep(signal.aborted ? 0 : 100); // a stream that breaks is opened again where it was
      }
    }
  }

  /** Creates the LoadTest; resolves with when the call began. */
  async create(name: string): Promise<number> {
    const calledAtNs = Bun.nanoseconds();
    const metadata = { name, namespace: this.#namespace };
    await this.#client.create(loadtests, { apiVersion, kind: "LoadTest", metadata, spec } as LoadTest & KubeObject);
    return calledAtNs;
  }

  /** As many, several at a time; resolves with when each call began, by name. */
  async createMany(count: number): Promise<Map<string, number>> {
    const names = Array.from({ length: count }, (_, index) => `lt-${index}`);
    const calledAtNs = new Map<string, number>();
    const work = async () => {
      for (let name = names.pop(); name !== undefined; name = names.pop())
        calledAtNs.set(name, await this.create(name));
    };
    await Promise.all(Array.from({ length: width }, work));
    return calledAtNs;
  }

  /** When the first Pod of the LoadTest was seen. */
  async seen(name: string): Promise<number> {
    await this.#until(() => this.#seenAtNs.has(name), `the Pod of ${name}`);
    return this.#seenAtNs.get(name) as number;
  }

  /** Resolves when just so many LoadTests have a Pod. */
  settled(count: number): Promise<void> {
    return this.#until(() => this.#seenAtNs.size === count, `${count} Pods`);
  }

  /** Deletes the Pods of so many LoadTests, spread over all. */
  async deletePods(count: number): Promise<void> {
    const namespace = this.#namespace;
    const { items } = await this.#client.list(pods, { namespace, labelSelector: loadTestLabel });
    const wanted = this.#seenAtNs.size - count;
    const step = Math.floor(items.length / count);
    for (let index = 0; index < count; index++) {
      const name = items[index * step]?.metadata.name ?? "";
      await this.#client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0 });
    }
    await this.settled(wanted);
  }

  async #until(isSo: () => boolean, what: string): Promise<void> {
    if (isSo()) return;
    const limit = AbortSignal.any([AbortSignal.timeout(patienceMs), this.#stop]);
    await new Promise<void>((resolve, reject) => {
      limit.addEventListener("abort", () => reject(new Error(`waited in vain for ${what}`)), { once: true });
      this.#heard = () => {
        if (isSo()) resolve();
      };
    });
  }
}
