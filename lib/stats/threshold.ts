// Limits that a run must keep, judged on the merged result.
import { type Account, failedCount } from "./account.ts";
import type { Histogram } from "./histogram.ts";

/** Latency quantiles that may be limited, by name. */
export const latencyQuantiles = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 } as const;
export type LatencyQuantile = keyof typeof latencyQuantiles;

/** `value`: ns at most for a quantile, a share (0 to 1) at most for errorRate, a share at least for minRate. */
export interface Threshold {
  name: LatencyQuantile | "errorRate" | "minRate";
  value: number;
}

export interface ThresholdResult {
  name: Threshold["name"];
  /** Microseconds for a latency, else a share from 0 to 1. */
  limit: number;
  measured: number;
  passed: boolean;
}

/** What a threshold is judged on. */
export interface Measured {
  account: Account;
  latency: Histogram;
  throughputPerSecond: number;
  /** null in a closed loop, which asks for no rate; 0 where nothing was due. Either keeps any. */
  askedPerSecond: number | null;
}

export function judge({ name, value }: Threshold, measured: Measured): ThresholdResult {
  if (name === "errorRate") {
    const share = errorRate(measured.account);
    return { name, limit: value, measured: share, passed: share <= value };
  }
  if (name === "minRate") {
    const { throughputPerSecond, askedPerSecond } = measured;
    const isAsked = askedPerSecond !== null && askedPerSecond > 0;
    const share = isAsked ? throughputPerSecond / askedPerSecond : 1;
    return { name, limit: value, measured: share, passed: share >= value };
  }
  const us = measured.latency.quantileNs(latencyQuantiles[name]) / 1e3;
  return { name, limit: value / 1e3, measured: us, passed: us <= value / 1e3 };
}

/** Share of the requests with a known outcome that did not complete, 0 to 1. */
export function errorRate(account: Account): number {
  const bad = failedCount(account) + account.timedOut + account.unsent + account.lost;
  return bad === 0 ? 0 : bad / (bad + account.completed);
}
