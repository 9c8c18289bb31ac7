// What an absent field means. The stored object keeps it absent; everything that acts reads the effective spec.
import { parseDuration } from "./duration.ts";
import type { KeyReference, LoadTestSpec } from "./load-test.ts";

export const defaultPaths: readonly string[] = ["/index.html"];
const requestsPerSecondPerWorker = 10_000;

/** A spec with every question answered. Durations in nanoseconds. */
export interface EffectiveSpec {
  service: string;
  scheme: "http" | "https";
  port: number;
  requestsPerSecond: number;
  paths: readonly string[];
  /** undefined: until the LoadTest is deleted. */
  durationNs: number | undefined;
  workers: number;
  /** Of each worker. */
  connections: number;
  timeoutNs: number;
  caFrom: { configMapKeyRef?: KeyReference; secretKeyRef?: KeyReference } | undefined;
}

/** The effective form of a spec that passed validation. */
export function effectiveSpec(spec: LoadTestSpec): EffectiveSpec {
  return {
    service: spec.service,
    scheme: spec.scheme,
    port: spec.port ?? (spec.scheme === "https" ? 443 : 80),
    requestsPerSecond: spec.requestsPerSecond,
    paths: spec.paths === undefined || spec.paths.length === 0 ? defaultPaths : spec.paths,
    durationNs: spec.duration === undefined ? undefined : parseDuration(spec.duration),
    workers: spec.workers ?? Math.ceil(spec.requestsPerSecond / requestsPerSecondPerWorker),
    connections: spec.connections ?? 64,
    timeoutNs: parseDuration(spec.timeout ?? "10s") as number,
    caFrom: spec.tls?.caFrom,
  };
}
