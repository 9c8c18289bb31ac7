// One process of the controller, running the very loop that the binary runs, against the model.
import { Registry } from "prom-client";
import { type LoopOptions, runLoop } from "../../lib/controller/loop.ts";
import type { Log } from "../../lib/runtime/log.ts";
import type { ApiServer } from "../model/api-server.ts";
import { ModelClient, type Way } from "../model/client.ts";
import type { VirtualTime } from "../model/virtual-time.ts";
import { maxRequestsPerSecond } from "./history.ts";

const nobody = { inc: () => {} };
export const workerImage = "loadtest:test";

export class Replica {
  readonly client: ModelClient;
  /** Whether it acts. */
  leads = false;
  readonly #options: LoopOptions;
  readonly #log: Log;
  readonly #stop = new AbortController();

  /** @param said Told what the loop warns of. */
  constructor(time: VirtualTime, server: ApiServer, way: Way, said: (words: string) => void) {
    this.client = new ModelClient(time, server, way);
    const say = (fields: object, words: string) => said(`${words} ${JSON.stringify(fields)}`);
    this.#log = { debug: () => {}, info: () => {}, warn: say, error: say } as unknown as Log;
    this.#options = {
      workerImage,
      maxRequestsPerSecond,
      pollIntervalMs: { watched: 30_000, unwatched: 5000, longest: 120_000 },
      isWatching: true,
      identity: "replica",
      watchCounters: { events: nobody, watchesBroken: nobody },
      mayAct: () => this.leads,
      registry: new Registry(),
    };
  }

  begin(): void {
    void runLoop(this.client, this.#options, { passedAtNs: undefined }, this.#log, this.#stop.signal);
  }

  /** Ends as by SIGTERM: what is under way is finished. */
  stop(): void {
    this.#stop.abort();
  }

  /** Ends as by SIGKILL. */
  kill(): void {
    this.client.die();
    this.#stop.abort();
  }
}
