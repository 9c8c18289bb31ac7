// A worker's figures for Prometheus. They are those of the last snapshot, so that a scrape costs the load next to nothing,
// however often it comes.
import { type MetricsServer, serveMetrics } from "../runtime/metrics-server.ts";
import { formatWorkerMetrics, type WorkerFigures } from "../stats/worker-metrics.ts";

export class MetricsEndpoint {
  readonly #server: MetricsServer;
  #figures: WorkerFigures | undefined;
  #text: string | undefined;

  /** Throws when it cannot listen. */
  constructor(port: number) {
    const contentType = "text/plain; version=0.0.4; charset=utf-8";
    this.#server = serveMetrics(port, { contentType, metrics: () => this.#format() });
  }

  /** The histograms are its own from now on. */
  update(figures: WorkerFigures): void {
    this.#figures = figures;
    this.#text = undefined;
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }

  #format(): string {
    if (this.#figures === undefined) return ""; // counters must not begin at 0 where an earlier process has counted
    this.#text ??= formatWorkerMetrics(this.#figures);
    return this.#text;
  }
}
