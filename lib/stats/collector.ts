// Lines of several workers → what they recorded. The newest line of a kind wins; a worker is whole once its result
// line has come.

import { Histogram } from "./histogram.ts";
import { decodeHistogram } from "./histogram-codec.ts";
import type { HistogramLine, Line, ResultLine, SnapshotLine } from "./line.ts";
import { emptyRecording, type Metric, type WorkerRecording } from "./recording.ts";

export class Collector {
  readonly #snapshots = new Map<number, SnapshotLine>();
  readonly #histograms = new Map<string, HistogramLine>();
  readonly #results = new Map<number, ResultLine>();

  take(line: Line): void {
    if (line.kind === "snapshot") this.#snapshots.set(line.worker, line);
    else if (line.kind === "histogram") this.#histograms.set(`${line.worker}/${line.path}/${line.metric}`, line);
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

  #recording({ worker, startedAtMs, endedAtMs, scheduledSeconds, paths }: ResultLine): WorkerRecording {
    return {
      worker,
      startedAtMs,
      endedAtMs,
      scheduledSeconds,
      paths: paths.map((account, path) => ({
        ...emptyRecording(),
        account,
        latency: this.#histogram(worker, path, "latency"),
        service: this.#histogram(worker, path, "service"),
        slip: this.#histogram(worker, path, "slip"),
      })),
      generatorSlip: this.#histogram(worker, -1, "generatorSlip"),
    };
  }

  #histogram(worker: number, path: number, metric: Metric | "generatorSlip"): Histogram {
    const line = this.#histograms.get(`${worker}/${path}/${metric}`);
    if (line === undefined) return new Histogram();
    return Object.assign(decodeHistogram(line.data), { sumNs: line.sumNs, maxNs: line.maxNs });
  }
}
