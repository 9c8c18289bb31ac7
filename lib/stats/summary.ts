// Recordings → the summary people and programs read. Summaries are made last and never merged.
// The schema is the summary's only description: its type comes from it, and it is published with the manifests.
import Type, { type Static, type TProperties } from "typebox";
import { accountProperties } from "./account.ts";
import { generatorFaults } from "./generator.ts";
import { Histogram } from "./histogram.ts";
import { encodeHistogram } from "./histogram-codec.ts";
import { allRecordings, mergeRecordings, type Recording, type WorkerRecording } from "./recording.ts";
import { judge, type Threshold } from "./threshold.ts";

function closed<T extends TProperties>(properties: T, options: object = {}) {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

function number(description: string) {
  return Type.Number({ minimum: 0, description });
}

const Percentiles = closed(
  {
    mean: Type.Number(),
    p50: Type.Number(),
    p90: Type.Number(),
    p95: Type.Number(),
    p99: Type.Number(),
    p999: Type.Number(),
    max: Type.Number(),
  },
  { description: "Of one histogram, in microseconds; percentiles are at most 0.8 % above the exact ones." },
);
export type Percentiles = Static<typeof Percentiles>;

const partProperties = {
  ...accountProperties,
  latencyUs: Percentiles,
  serviceTimeUs: Percentiles,
  slipUs: Percentiles,
};

export const Summary = closed(
  {
    startedAt: Type.String({ format: "date-time", description: "The instant of request 0." }),
    durationSeconds: number("From the start to the end of the last worker, the wait for responses included."),
    askedPerSecond: Type.Unsafe<number | null>({
      type: ["number", "null"],
      description: "Mean rate of the schedule, until its end or the stop; null in a closed loop, which asks for none.",
    }),
    sentPerSecond: number("Sent requests over the time in which they were due."),
    throughputPerSecond: number("Requests completed within that time, over that time."),
    ...partProperties,
    generatorSlipUs: Percentiles,
    connectionWaitUs: Percentiles,
    paths: Type.Array(closed({ path: Type.String(), ...partProperties })),
    backends: Type.Array(closed({ backend: Type.String(), ...partProperties })),
    workers: Type.Array(
      closed({
        worker: Type.Integer({ minimum: 0, description: "Index of the worker." }),
        ...partProperties,
        cpuSeconds: number("CPU time that the worker used."),
      }),
    ),
    valid: Type.Boolean({
      description: "Whether the figures speak of the target; false: the generator was the limit.",
    }),
    invalidReasons: Type.Array(Type.String()),
    passed: Type.Unsafe<boolean | null>({
      type: ["boolean", "null"],
      description: "Whether requests completed and all thresholds were kept; null: nothing can be concluded.",
    }),
    thresholds: Type.Array(
      closed({
        name: Type.String(),
        limit: number("Microseconds for a latency, else a share from 0 to 1."),
        measured: number("In the unit of the limit."),
        passed: Type.Boolean(),
      }),
    ),
    histograms: closed(
      { latency: Type.String(), service: Type.String(), slip: Type.String() },
      { description: "Nanoseconds, in the HdrHistogram V2 compressed format, base64." },
    ),
  },
  { $id: "https://beta.kuar.com/v1/summary.schema.json", title: "The summary of a load test" },
);
export type Summary = Static<typeof Summary>;
export type Part = Pick<Summary, keyof typeof partProperties>;

export interface SummaryInput {
  /** What results call the plan's requests. */
  paths: readonly string[];
  /** How many requests the plan asks for within its first seconds; undefined in a closed loop, which asks for none. */
  askedUntil: ((seconds: number) => number) | undefined;
  /** At least one. */
  workers: readonly WorkerRecording[];
  thresholds: readonly Threshold[];
}

export function summarize({ paths, askedUntil, workers, thresholds }: SummaryInput): Summary {
  const backends = workers.flatMap((worker) => worker.backends);
  const byPath = paths.map((_, index) => mergeRecordings(backends.flatMap((backend) => backend.paths[index] ?? [])));
  const byBackend = Map.groupBy(backends, ({ name }) => name);
  const total = mergeRecordings(byPath);
  const { account, latency } = total;
  const startedAtMs = Math.min(...workers.map((worker) => worker.startedAtMs));
  const endedAtMs = Math.max(...workers.map((worker) => worker.endedAtMs));
  const scheduledSeconds = Math.max(1e-3, ...workers.map((worker) => worker.scheduledSeconds));
  const completedInTime = workers.reduce((sum, worker) => sum + worker.completedInTime, 0);
  const askedPerSecond = askedUntil === undefined ? null : askedUntil(scheduledSeconds) / scheduledSeconds;
  const throughputPerSecond = completedInTime / scheduledSeconds;
  const generators = workers.map(({ generator }) => generator);
  const invalidReasons = generatorFaults(generators, account, latency.quantileNs(0.99));
  const judged = thresholds.map((threshold) =>
    judge(threshold, { account, latency, throughputPerSecond, askedPerSecond }),
  );
  const isKept = account.completed > 0 && judged.every(({ passed }) => passed);
  return {
    startedAt: new Date(startedAtMs).toISOString(),
    durationSeconds: Math.max(0, endedAtMs - startedAtMs) / 1000,
    askedPerSecond,
    sentPerSecond: account.sent / scheduledSeconds,
    throughputPerSecond,
    ...part(total),
    generatorSlipUs: percentiles(mergeHistograms(generators.map(({ slip }) => slip))),
    connectionWaitUs: percentiles(mergeHistograms(generators.map(({ connectionWait }) => connectionWait))),
    paths: byPath.map((recording, index) => ({ path: paths[index] as string, ...part(recording) })),
    backends: [...byBackend].map(([backend, recordings]) => ({
      backend,
      ...part(mergeRecordings(allRecordings({ backends: recordings }))),
    })),
    workers: workers.map((worker) => ({
      worker: worker.worker,
      ...part(mergeRecordings(allRecordings(worker))),
      cpuSeconds: worker.generator.counters.cpuNs / 1e9,
    })),
    valid: invalidReasons.length === 0,
    invalidReasons,
    passed: account.completed === 0 ? false : invalidReasons.length > 0 ? null : isKept,
    thresholds: judged,
    histograms: {
      latency: encodeHistogram(latency),
      service: encodeHistogram(total.service),
      slip: encodeHistogram(total.slip),
    },
  };
}

function mergeHistograms(histograms: readonly Histogram[]): Histogram {
  const merged = new Histogram();
  for (const histogram of histograms) merged.merge(histogram);
  return merged;
}

function part({ account, latency, service, slip }: Recording): Part {
  return {
    ...account,
    latencyUs: percentiles(latency),
    serviceTimeUs: percentiles(service),
    slipUs: percentiles(slip),
  };
}

function percentiles(histogram: Histogram): Percentiles {
  const us = (quantile: number) => round(histogram.quantileNs(quantile) / 1e3);
  return {
    mean: round(histogram.meanNs() / 1e3),
    p50: us(0.5),
    p90: us(0.9),
    p95: us(0.95),
    p99: us(0.99),
    p999: us(0.999),
    max: round(histogram.maxNs / 1e3),
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
