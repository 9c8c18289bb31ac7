import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { emptyAccount } from "../../lib/stats/account.ts";
import { Histogram } from "../../lib/stats/histogram.ts";
import { formatWorkerMetrics, noFigures, workerMetrics } from "../../lib/stats/worker-metrics.ts";

test("ARCHITECTURE.md lists a worker's metrics, their labels and what they mean, as the code has them", () => {
  const rows = workerMetrics.map(({ name, help, labelNames }) => {
    const labels = labelNames.length === 0 ? "" : `{${labelNames.join(", ")}}`;
    return `| \`${name}${labels}\` | ${help} |`;
  });
  const text = readFileSync(join(import.meta.dir, "../../ARCHITECTURE.md"), "utf8");
  expect(text.match(/^\| `loadtest_worker_.*$/gm)).toEqual(rows as never);
});

test("outcomes are counters, and latencies lie in the buckets of Prometheus, cumulative", () => {
  const account = { ...emptyAccount(), scheduled: 9, completed: 4, timedOut: 2, failed: { refused: 3 } };
  const latency = new Histogram();
  for (const ms of [0.5, 3, 3, 80, 20_000]) latency.record(ms * 1e6);
  const text = formatWorkerMetrics({ ...noFigures(), account, latency, askedPerSecond: 12.5 });
  for (const line of [
    "# TYPE loadtest_worker_requests_total counter",
    'loadtest_worker_requests_total{outcome="completed"} 4',
    'loadtest_worker_requests_total{outcome="refused"} 3',
    'loadtest_worker_requests_total{outcome="dns"} 0',
    "loadtest_worker_scheduled_total 9",
    "# TYPE loadtest_worker_latency_seconds histogram",
    'loadtest_worker_latency_seconds_bucket{le="0.001"} 1',
    'loadtest_worker_latency_seconds_bucket{le="0.005"} 3',
    'loadtest_worker_latency_seconds_bucket{le="0.1"} 4',
    'loadtest_worker_latency_seconds_bucket{le="10"} 4',
    'loadtest_worker_latency_seconds_bucket{le="+Inf"} 5',
    "loadtest_worker_latency_seconds_sum 20.0865",
    "loadtest_worker_latency_seconds_count 5",
    "loadtest_worker_asked_per_second 12.5",
  ]) {
    expect(text.split("\n")).toContain(line);
  }
  expect(text).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+\n|[a-z_]+(\{[a-z]+="[^"]+"\})? [0-9.]+\n)+$/);
});
