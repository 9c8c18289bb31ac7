// Summaries made by hand, for what is written about them.
import { emptyAccount } from "../../lib/stats/account.ts";
import type { Part, Percentiles, Summary } from "../../lib/stats/summary.ts";

/** Percentiles around a median of `us`. */
export function percentiles(us: number): Percentiles {
  return { mean: us * 1.2, p50: us, p90: us * 2, p95: us * 4, p99: us * 8, p999: us * 20, max: us * 30 };
}

/** So many requests, all of them completed. */
export function part(completed: number, medianUs = 200): Part {
  return {
    ...emptyAccount(),
    scheduled: completed,
    sent: completed,
    completed,
    bytesSent: completed * 64,
    bytesReceived: completed * 1234,
    statusCodes: { 200: completed },
    latencyUs: percentiles(medianUs),
    serviceTimeUs: percentiles(medianUs * 0.95),
    slipUs: percentiles(medianUs * 0.05),
  };
}

/** 1,000 requests per second for 10 s by one worker, all completed in time, but for what is given. */
export function summary(given: Partial<Summary> = {}): Summary {
  const whole = part(10_000);
  return {
    startedAt: "2026-01-02T03:04:05.000Z",
    durationSeconds: 10.04,
    askedPerSecond: 1000,
    sentPerSecond: 1000,
    throughputPerSecond: 999.7,
    ...whole,
    generatorSlipUs: percentiles(10),
    connectionWaitUs: percentiles(0),
    paths: [{ path: "/", ...whole }],
    backends: [{ backend: "web", ...whole }],
    workers: [{ worker: 0, ...whole, cpuSeconds: 6.2 }],
    valid: true,
    invalidReasons: [],
    passed: true,
    thresholds: [],
    histograms: { latency: "", service: "", slip: "" },
    ...given,
  };
}
