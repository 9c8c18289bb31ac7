// Records Events of LoadTests beside the work: nobody waits for them, and what cannot be recorded is only logged.
import type { KubeClient } from "../kube/client.ts";
import { recordEvent } from "../kube/events.ts";
import { apiVersion } from "../loadtest/api-group.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import type { News } from "../plan/news.ts";
import type { Log } from "../runtime/log.ts";

/** So many at once. */
const width = 4;
/** In the press the work itself has the right of way, unless so many wait already. */
const longestLineInPress = 200;
/** What waits beyond this is dropped. */
const longestLine = 10_000;

export class Recorder {
  readonly #client: KubeClient;
  readonly #instance: string;
  readonly #log: Log;
  readonly #isPressed: () => boolean;
  readonly #line: (() => Promise<void>)[] = [];
  readonly #working = new Set<Promise<void>>();
  /** Since nothing waited last. */
  #dropped = 0;

  /**
   * @param instance Which of several controllers this is.
   * @param isPressed Whether there is so much to do that Events had better wait.
   */
  constructor(client: KubeClient, instance: string, log: Log, isPressed: () => boolean) {
    this.#client = client;
    this.#instance = instance;
    this.#log = log;
    this.#isPressed = isPressed;
  }

  /** Has them recorded, in their order. */
  record({ metadata: { namespace, name, uid } }: LoadTest, news: readonly News[]): void {
    if (news.length === 0) return;
    if (this.#line.length >= longestLine) {
      if (this.#dropped === 0) this.#log.warn({ waiting: longestLine }, "too many Events wait, new ones are dropped");
      this.#dropped += news.length;
      return;
    }
    const regarding = { apiVersion, kind: "LoadTest", namespace, name, uid };
    this.#line.push(async () => {
      for (const text of news) {
        try {
          await recordEvent(this.#client, regarding, this.#instance, text);
        } catch (error: unknown) {
          const words = { loadTest: `${namespace}/${name}`, reason: text.reason, error: (error as Error).message };
          this.#log.warn(words, "cannot record an Event");
        }
      }
    });
    this.proceed();
  }

  /** Resolves when what is under way is done; what waits is dropped. */
  async stop(): Promise<void> {
    this.#line.length = 0;
    await Promise.all(this.#working);
  }

  /** Records what waits, as far as it may be recorded now. */
  proceed(): void {
    const allowed = this.#isPressed() ? (this.#line.length > longestLineInPress ? 1 : 0) : width;
    while (this.#working.size < allowed) {
      const job = this.#line.shift();
      if (job === undefined) {
        if (this.#dropped > 0) this.#log.warn({ events: this.#dropped }, "Events were dropped");
        this.#dropped = 0;
        return;
      }
      const work = job().finally(() => {
        this.#working.delete(work);
        this.proceed();
      });
      this.#working.add(work);
    }
  }
}
