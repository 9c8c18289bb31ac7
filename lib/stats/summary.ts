// Recordings → the summary people and programs read. Summaries are made last and never merged.
// The schema is the summary's only description: its type comes from it, and it is published with the manifests.
import Type, { type Static, type TProperties } from "typebox";
import { type Account, accountProperties, emptyAccount, sumAccounts } from "./account.ts";
import { generatorFaults, isMuchLost } from "./generator.ts";
import type { Histogram } from "./histogram.ts";
import { encodeHistogram } from "./histogram-codec.ts";
import { allRecordings, mergeRecordings, type Recording, type WorkerRecording } from "./recording.ts";
import { judge, type Threshold } from "./threshold.ts";
import { addWorker, emptyTotals, type Totals } from "./totals.ts";

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

/** What a run is measured by. */
export interface Judgment {
  /** How many requests the plan asks for within its first seconds; undefined in a closed loop, which asks for none. */
  askedUntil: ((seconds: number) => number) | undefined;
  thresholds: readonly Threshold[];
  /** What workers were due to send and have not said anything of; such a run proves nothing. */
  untold?: { lost: number; reason: string } | undefined;
}

export interface SummaryInput extends Judgment {
  /** What results call the plan's requests. */
  paths: readonly string[];
  /** At least one. */
  workers: readonly WorkerRecording[];
}

export function summarize({ paths, workers, ...input }: SummaryInput): Summary {
  const totals = emptyTotals();
  for (const worker of workers) addWorker(totals, worker, mergeRecordings(allRecordings(worker)), worker.generator);
  const backends = workers.flatMap((worker) => worker.backends);
  const byPath = paths.map((_, index) => mergeRecordings(backends.flatMap((backend) => backend.paths[index] ?? [])));
  const byBackend = Map.groupBy(backends, ({ name }) => name);
  const { valid, invalidReasons, passed, thresholds, ...figures } = summarizeTotals(totals, input);
  return {
    ...figures,
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
    valid,
    invalidReasons,
    passed,
    thresholds,
    histograms: {
      latency: encodeHistogram(totals.recording.latency),
      service: encodeHistogram(totals.recording.service),
      slip: encodeHistogram(totals.recording.slip),
    },
  };
}

/** What a summary says of the whole, and the verdict; of at least one worker. */
export function summarizeTotals(
  { recording, generators, generatorSlip, connectionWait, ...totals }: Totals,
  { askedUntil, thresholds, untold }: Judgment,
): Omit<Summary, "paths" | "backends" | "workers" | "histograms"> {
  const { latency } = recording;
  const account = sumAccounts([recording.account, lostAccount(untold?.lost ?? 0)]);
  const scheduledSeconds = Math.max(1e-3, totals.scheduledSeconds);
  const asked = askedUntil?.(scheduledSeconds);
  const isNothingDue = totals.scheduledSeconds === 0;
  const askedPerSecond = asked === undefined ? null : isNothingDue ? 0 : asked / scheduledSeconds;
  const throughputPerSecond = totals.completedInTime / scheduledSeconds;
  const told = { scheduled: account.scheduled, lost: recording.account.lost };
  const invalidReasons = [
    ...(untold === undefined ? [] : [untold.reason]),
    ...generatorFaults(generators, told, latency.quantileNs(0.99)),
  ];
  const judged = thresholds.map((threshold) =>
    judge(threshold, { account, latency, throughputPerSecond, askedPerSecond }),
  );
  // Nothing completed is a failure even of a generator with faults, but not where nobody knows what completed.
  const isNothing = account.completed === 0 && !isMuchLost(account);
  const isProven = invalidReasons.length === 0 || (untold === undefined && isNothing);
  const isKept = account.completed > 0 && judged.every(({ passed }) => passed);
  return {
    startedAt: new Date(totals.startedAtMs).toISOString(),
    durationSeconds: Math.max(0, totals.endedAtMs - totals.startedAtMs) / 1000,
    askedPerSecond,
    sentPerSecond: account.sent / scheduledSeconds,
    throughputPerSecond,
    ...part({ ...recording, account }),
    generatorSlipUs: percentiles(generatorSlip),
    connectionWaitUs: percentiles(connectionWait),
    valid: invalidReasons.length === 0,
    invalidReasons,
    passed: isProven ? isKept : null,
    thresholds: judged,
  };
}

function lostAccount(lost: number): Account {
  return { ...emptyAccount(), scheduled: lost, lost };
}

function part({ account, latency, service, slip }: Recording): Part {
  return {
    ...account,
    latencyUs: percentiles(latency),
    serviceTimeUs: percentiles(service),
    slipUs: percentiles(slip),
  };
}

export function percentiles(histogram: Histogram): Percentiles {
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
