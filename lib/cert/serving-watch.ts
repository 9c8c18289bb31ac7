// Hears of changes of what the serving certificate is kept in, so that this need not be read every few seconds. Nothing
// depends on it: what it misses, the next look sees.
import type { KubeClient } from "../kube/client.ts";
import { Doorbell, type WatchCounters } from "../kube/doorbell.ts";
import { sleep } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { storedObjects } from "./serving-store.ts";

export class ServingWatch {
  readonly #bells: readonly Pick<Doorbell<never>, "run" | "isAlive">[];
  #rung = new AbortController();

  constructor(client: KubeClient, counters: WatchCounters, log: Log) {
    this.#bells = storedObjects.map(({ resource, key: { name, ...scope } }) => {
      const fieldSelector = `metadata.name=${name}`;
      return new Doorbell({
        client,
        resource,
        ...scope,
        fieldSelector,
        counters,
        log,
        lookAtAll: async () => {
          const { resourceVersion } = await client.list(resource, { ...scope, fieldSelector });
          this.#rung.abort(); // what was read before is older
          return resourceVersion;
        },
        heard: () => this.#rung.abort(),
      });
    });
  }

  get isAlive(): boolean {
    return this.#bells.every(({ isAlive }) => isAlive);
  }

  /** Watches until `stop` is aborted. Never rejects. */
  async run(stop: AbortSignal): Promise<void> {
    await Promise.all(this.#bells.map((bell) => bell.run(stop)));
  }

  /** Resolves after `delayMs`, when there has been a change since it last resolved, or when `stop` is aborted. */
  async rest(delayMs: number, stop: AbortSignal): Promise<void> {
    await sleep(delayMs, AbortSignal.any([stop, this.#rung.signal]));
    this.#rung = new AbortController();
  }
}
