// What a worker tells Prometheus, in its text format (https://prometheus.io/docs/instrumenting/exposition_formats):
// figures of its load so far, as in its snapshots, with a bounded number of series.
import { type Account, emptyAccount, failureKinds } from "./account.ts";
import { Histogram, highestOf, slotCount } from "./histogram.ts";

export interface WorkerFigures {
  account: Account;
  latency: Histogram;
  slip: Histogram;
  /** The worker's share of the asked rate. */
  askedPerSecond: number;
  openConnections: number;
  preflightRequests: number;
}

/** Of a worker that has not begun. */
export function noFigures(): WorkerFigures {
  return {
    account: emptyAccount(),
    latency: new Histogram(),
    slip: new Histogram(),
    askedPerSecond: 0,
    openConnections: 0,
    preflightRequests: 0,
  };
}

interface WorkerMetric {
  name: string;
  help: string;
  labelNames: readonly string[];
  type: "counter" | "gauge" | "histogram";
  /** What follows the name, and the value. */
  samples: (figures: WorkerFigures) => [suffix: string, value: number][];
}

const latencyBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const slipBounds = [0.0001, 0.001, 0.01, 0.1, 1];

export const workerMetrics: readonly WorkerMetric[] = [
  {
    name: "loadtest_worker_requests_total",
    help: "Requests whose fate is known, by outcome as in results.",
    labelNames: ["outcome"],
    type: "counter",
    samples: ({ account }) => [
      ...(["completed", "timedOut", "lost"] as const).map((name) => outcome(name, account[name])),
      ...failureKinds.map((kind) => outcome(kind, account.failed[kind] ?? 0)),
    ],
  },
  one("counter", "scheduled_total", "Requests that were due.", ({ account }) => account.scheduled),
  one("counter", "sent_total", "Requests written to a connection.", ({ account }) => account.sent),
  one("gauge", "in_flight", "Requests whose response is waited for.", ({ account }) => account.inFlight),
  one("gauge", "unsent", "Requests that were due and are not sent, given up or owed.", ({ account }) => account.unsent),
  one("counter", "preflight_requests_total", "Requests before the load, in no other figure.", (figures) => {
    return figures.preflightRequests;
  }),
  spread("latency_seconds", "From when a request was due to the end of its response.", latencyBounds, "latency"),
  spread("slip_seconds", "From when a request was due to its sending.", slipBounds, "slip"),
  one("gauge", "asked_per_second", "The worker's share of the asked rate, over the last second.", (figures) => {
    return figures.askedPerSecond;
  }),
  one("gauge", "connections", "Open connections.", ({ openConnections }) => openConnections),
];

export function formatWorkerMetrics(figures: WorkerFigures): string {
  const lines = workerMetrics.flatMap(({ name, help, type, samples }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples(figures).map(([suffix, value]) => `${name}${suffix} ${value}`),
  ]);
  return `${lines.join("\n")}\n`;
}

function outcome(name: string, value: number): [string, number] {
  return [`{outcome="${name}"}`, value];
}

function one(
  type: "counter" | "gauge",
  name: string,
  help: string,
  value: (figures: WorkerFigures) => number,
): WorkerMetric {
  const samples: WorkerMetric["samples"] = (figures) => [["", value(figures)]];
  return { name: `loadtest_worker_${name}`, help, labelNames: [], type, samples };
}

function spread(
  name: string,
  help: string,
  boundsSeconds: readonly number[],
  metric: "latency" | "slip",
): WorkerMetric {
  const samples: WorkerMetric["samples"] = ({ [metric]: histogram }) => {
    const counts = countsWithin(histogram, boundsSeconds);
    return [
      ...boundsSeconds.map((bound, index): [string, number] => [`_bucket{le="${bound}"}`, counts[index] as number]),
      ['_bucket{le="+Inf"}', histogram.total],
      ["_sum", histogram.sumNs / 1e9],
      ["_count", histogram.total],
    ];
  };
  return { name: `loadtest_worker_${name}`, help, labelNames: [], type: "histogram", samples };
}

/** How many values lie within each bound, up to the slot that it cuts, which is 0.8 % of it wide; bounds ascend. */
function countsWithin(histogram: Histogram, boundsSeconds: readonly number[]): number[] {
  let slot = 0;
  let count = 0;
  return boundsSeconds.map((bound) => {
    for (; slot < slotCount && highestOf(slot) <= bound * 1e9; slot++) count += histogram.counts[slot] as number;
    return count;
  });
}
