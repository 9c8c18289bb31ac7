// A watch that says which keys to look at sooner. Nothing depends on it: what it misses, the next poll sees.
import type { KubeObject } from "../plan/objects.ts";
import { sleep } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { isExpired } from "./api-error.ts";
import type { KubeClient, WatchEvent, WatchScope } from "./client.ts";
import type { Resource } from "./resource.ts";

const retryMs = 1000;
const longestRetryMs = 30_000;

/** Counters of what watches bring, by the kind of the object. */
export interface WatchCounters {
  events: { inc(labels: { kind: string }): void };
  watchesBroken: { inc(labels: { kind: string }): void };
}

export interface DoorbellOptions<T extends KubeObject> extends WatchScope {
  client: KubeClient;
  resource: Resource<T>;
  /** Looks at everything, and resolves with the version of the resource's list from which to watch. */
  lookAtAll: () => Promise<string>;
  /** Told of each change. */
  heard: (object: T, type: WatchEvent<T>["type"]) => void;
  counters: WatchCounters;
  log: Log;
}

export class Doorbell<T extends KubeObject> {
  readonly #options: DoorbellOptions<T>;
  #isAlive = false;

  constructor(options: DoorbellOptions<T>) {
    this.#options = options;
  }

  /** Whether the last stream is open, or has ended well and is about to be followed by another one. */
  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Watches until `stop` is aborted; a stream that ends, breaks or falls silent is opened again. Never rejects. */
  async run(stop: AbortSignal): Promise<void> {
    const { resource, lookAtAll, heard, counters, log } = this.#options;
    let resourceVersion: string | undefined;
    let failures = 0;
    while (!stop.aborted) {
      try {
        resourceVersion ??= await lookAtAll();
        for await (const event of this.#events(resourceVersion, stop)) {
          failures = 0;
          resourceVersion = event.object.metadata.resourceVersion;
          if (event.type === "BOOKMARK") continue;
          counters.events.inc({ kind: resource.kind });
          heard(event.object, event.type);
        }
        await sleep(retryMs, stop); // a server that ends every stream at once is not asked without a pause
      } catch (error: unknown) {
        if (stop.aborted) return;
        failures++;
        if (isExpired(error)) resourceVersion = undefined;
        this.#isAlive = false;
        counters.watchesBroken.inc({ kind: resource.kind });
        log.warn({ kind: resource.kind, error: (error as Error).message }, "watch broken");
        await sleep(Math.min(retryMs * 2 ** (failures - 1), longestRetryMs), stop);
      }
    }
  }

  #events(resourceVersion: string, signal: AbortSignal): AsyncIterable<WatchEvent<T>> {
    const { client, resource, namespace, labelSelector, fieldSelector } = this.#options;
    this.#isAlive = true;
    return client.watch(resource, {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      resourceVersion,
      signal,
    });
  }
}
