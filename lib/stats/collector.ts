// Lines of several workers → what they recorded. The newest line of a kind wins; a worker is whole once its result
// line has come.

import { type Account, emptyAccount } from "./account.ts";
import { Histogram } from "./histogram.ts";
import { decodeHistogram } from "./histogram-codec.ts";
import type { HistogramLine, Line, ResultLine, SnapshotLine } from "./line.ts";
import type { WorkerRecording } from "./recording.ts";

type HistogramKey = Pick<HistogramLine, "worker" | "backend" | "path" | "metric">;

function keyOf({ worker, backend, path, metric }: Omit<HistogramKey, "metric"> & Partial<HistogramKey>): string {
  return `${worker}/${backend}/${path}/${metric ?? "account"}`;
}

export class Collector {
  readonly #snapshots = new Map<number, SnapshotLine>();
  readonly #histograms = new Map<string, HistogramLine>();
  readonly #accounts = new Map<string, Account>();
  readonly #results = new Map<number, ResultLine>();

  take(line: Line): void {
    if (line.kind === "snapshot") this.#snapshots.set(line.worker, line);
    else if (line.kind === "histogram") this.#histograms.set(keyOf(line), line);
    else if (line.kind === "account") this.#accounts.set(keyOf(line), line.account);
    else if (line.kind === "result") this.#results.set(line.worker, line);
  }

  /** The newest snapshot of each worker that has sent one. */
  snapshots(): SnapshotLine[] {
    return [...this.#snapshots.values()];
  }

  /** What each worker recorded whose result line has come, by worker. */
  recordings(): WorkerRecording[] {
    return [...this.#results.values()].sort((a, b) => a.worker - b.worker).map((result) => this.#recording(result));
  }

  #recording({ kind: _, backends, generator, ...totals }: ResultLine): WorkerRecording {
    const { worker } = totals;
    return {
      ...totals,
      backends: backends.map(({ name, paths }, backend) => ({
        name,
        paths: Array.from({ length: paths }, (_, path) => ({
          account: this.#accounts.get(keyOf({ worker, backend, path })) ?? emptyAccount(),
          latency: this.#histogram({ worker, backend, path, metric: "latency" }),
          service: this.#histogram({ worker, backend, path, metric: "service" }),
          slip: this.#histogram({ worker, backend, path, metric: "slip" }),
        })),
      })),
      generator: {
        slip: this.#histogram({ worker, backend: -1, path: -1, metric: "generatorSlip" }),
        connectionWait: this.#histogram({ worker, backend: -1, path: -1, metric: "connectionWait" }),
        counters: generator,
      },
    };
  }

  #histogram(key: HistogramKey): Histogram {
    const line = this.#histograms.get(keyOf(key));
    if (line === undefined) return new Histogram();
    return Object.assign(decodeHistogram(line.data), { sumNs: line.sumNs, maxNs: line.maxNs });
  }
}
