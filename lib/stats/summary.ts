// Recordings → the summary people and programs read. Summaries are made last and never merged.
import { type Account, failedCount } from "./account.ts";
import type { Histogram } from "./histogram.ts";
import { mergeRecordings, type Recording, type WorkerRecording } from "./recording.ts";

/** Of one histogram, in microseconds. */
export interface Percentiles {
  mean: number;
  p50: number;
  p90: number;
  p95: number;
  p99: number;
  p999: number;
  max: number;
}

export interface Part extends Account {
  latencyUs: Percentiles;
  serviceTimeUs: Percentiles;
  slipUs: Percentiles;
}

export interface Summary extends Part {
  /** RFC 3339. */
  startedAt: string;
  /** From the common start to the end of the last worker, draining included. */
  durationSeconds: number;
  askedPerSecond: number;
  /** Sent requests over the time in which they were scheduled. */
  sentPerSecond: number;
  /** Completed requests over the same time. */
  throughputPerSecond: number;
  paths: (Part & { path: string })[];
  workers: (Part & { worker: number })[];
  /** Whether the figures speak of the target; false when the generator was the limit. */
  valid: boolean;
  invalidReasons: string[];
  /** null: nothing can be concluded. */
  passed: boolean | null;
}

/** The generator may be late by this much at the 99th percentile, or by a tenth of the latency there. */
const generatorSlipLimitNs = 1e6;

export interface SummaryInput {
  paths: readonly string[];
  askedPerSecond: number;
  /** At least one. */
  workers: readonly WorkerRecording[];
}

export function summarize(input: SummaryInput): Summary {
  const { workers, askedPerSecond } = input;
  const byPath = input.paths.map((_, index) =>
    mergeRecordings(workers.flatMap(({ paths }) => (paths[index] === undefined ? [] : [paths[index]]))),
  );
  const total = mergeRecordings(byPath);
  const startedAtMs = Math.min(...workers.map((worker) => worker.startedAtMs));
  const endedAtMs = Math.max(...workers.map((worker) => worker.endedAtMs));
  const scheduledSeconds = Math.max(1e-3, ...workers.map((worker) => worker.scheduledSeconds));
  const invalidReasons = generatorFaults(total, workers);
  const { account } = total;
  return {
    startedAt: new Date(startedAtMs).toISOString(),
    durationSeconds: Math.max(0, endedAtMs - startedAtMs) / 1000,
    askedPerSecond,
    sentPerSecond: account.sent / scheduledSeconds,
    throughputPerSecond: account.completed / scheduledSeconds,
    ...part(total),
    paths: byPath.map((recording, index) => ({ path: input.paths[index] as string, ...part(recording) })),
    workers: workers.map(({ worker, paths }) => ({ worker, ...part(mergeRecordings(paths)) })),
    valid: invalidReasons.length === 0,
    invalidReasons,
    passed: account.completed === 0 ? false : invalidReasons.length > 0 ? null : true,
  };
}

function generatorFaults(total: Recording, workers: readonly WorkerRecording[]): string[] {
  const slipNs = Math.max(...workers.map(({ generatorSlip }) => generatorSlip.quantileNs(0.99)));
  const latencyNs = total.latency.quantileNs(0.99);
  if (slipNs <= generatorSlipLimitNs || slipNs <= latencyNs / 10) return [];
  return [
    `the generator sent late by itself: ${(slipNs / 1e6).toFixed(2)} ms at the 99th percentile, where the latency is ${(latencyNs / 1e6).toFixed(2)} ms`,
  ];
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

/** Share of the requests with a known outcome that did not complete, 0 to 1. */
export function errorRate(account: Account): number {
  const bad = failedCount(account) + account.timedOut + account.unsent + account.lost;
  return bad === 0 ? 0 : bad / (bad + account.completed);
}
