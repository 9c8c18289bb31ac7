// What an absent field means. The stored object keeps it absent; everything that acts reads the effective spec.
import type { Threshold } from "../stats/threshold.ts";
import { parseDuration } from "./duration.ts";
import type { LoadTestSpec } from "./load-test.ts";
import type { PodTemplate } from "./pod-template.ts";
import { effectiveThresholds } from "./thresholds.ts";
import {
  certificateKeys,
  type MountedKey,
  mountedFile,
  mountedKey,
  mountedKeys,
  type ValueSource,
} from "./value-source.ts";

export const defaultPaths: readonly string[] = ["/index.html"];
const requestsPerSecondPerWorker = 10_000;

/** A spec with every question answered. Durations in nanoseconds. */
export interface EffectiveSpec {
  /** The target, unless it is the backends of `canary`. */
  service: string | undefined;
  canary: string | undefined;
  scheme: "http" | "https";
  port: number;
  /** At the start; without stages, always. */
  requestsPerSecond: number;
  requests: readonly EffectiveRequest[];
  /** undefined: until the LoadTest is stopped or deleted. With stages, their sum. */
  durationNs: number | undefined;
  stages: readonly { durationNs: number; requestsPerSecond: number }[] | undefined;
  arrivals: "Constant" | "Poisson";
  workers: number;
  /** Of each worker. */
  connections: number;
  connectionLifetimeNs: number | undefined;
  timeoutNs: number;
  serverName: string | undefined;
  insecure: boolean;
  /** With authorities to trust, of a worker Pod. */
  caFile: string | undefined;
  thresholds: readonly Threshold[];
  abortOnFailure: boolean;
  state: "Running" | "Paused" | "Stopped";
  startDeadlineNs: number | undefined;
  clientCertificate: { certFile: string; keyFile: string } | undefined;
  /** What the files are of that this spec speaks of. */
  mountedKeys: readonly MountedKey[];
  podTemplate: PodTemplate;
}

export interface EffectiveRequest {
  method: string;
  path: string;
  /** A value stands here or in a file of a worker Pod; so does the body. */
  headers: readonly { name: string; value?: string; valueFile?: string }[];
  body: string | undefined;
  bodyFile?: string;
  weight: number;
  /** undefined: 200 to 399. */
  expectStatus: readonly number[] | undefined;
}

/** The effective form of a spec that passed validation. */
export function effectiveSpec(spec: LoadTestSpec): EffectiveSpec {
  const stages = spec.stages?.map((stage) => ({
    durationNs: parseDuration(stage.duration) as number,
    requestsPerSecond: stage.requestsPerSecond,
  }));
  return {
    service: spec.service,
    canary: spec.canary,
    scheme: spec.scheme,
    port: spec.port ?? (spec.scheme === "https" ? 443 : 80),
    requestsPerSecond: spec.requestsPerSecond,
    requests: effectiveRequests(spec),
    durationNs: stages === undefined ? optionalDurationNs(spec.duration) : sumOf(stages),
    stages,
    arrivals: spec.arrivals ?? "Constant",
    workers: spec.workers ?? Math.ceil(highestRate(spec) / requestsPerSecondPerWorker),
    connections: spec.connections ?? 64,
    connectionLifetimeNs: optionalDurationNs(spec.connectionLifetime),
    timeoutNs: parseDuration(spec.timeout ?? "10s") as number,
    serverName: spec.tls?.serverName,
    insecure: spec.tls?.insecureSkipVerify ?? false,
    caFile: optionalFile(spec.tls?.caFrom),
    thresholds: effectiveThresholds(spec.thresholds),
    abortOnFailure: spec.thresholds?.abortOnFailure ?? false,
    state: spec.state ?? "Running",
    startDeadlineNs: optionalDurationNs(spec.startDeadline),
    clientCertificate: clientCertificate(spec),
    mountedKeys: mountedKeys(spec),
    podTemplate: spec.podTemplate ?? {},
  };
}

/** The highest rate that the spec ever asks for, requests per second. */
export function highestRate({ requestsPerSecond, stages = [] }: LoadTestSpec): number {
  return Math.max(requestsPerSecond, ...stages.map((stage) => stage.requestsPerSecond));
}

/** `GET path` with everything else left to its default. */
export function getRequest(path: string): EffectiveRequest {
  return { method: "GET", path, headers: [], body: undefined, weight: 1, expectStatus: undefined };
}

function effectiveRequests({ paths = [], requests }: LoadTestSpec): EffectiveRequest[] {
  if (requests === undefined) return (paths.length === 0 ? defaultPaths : paths).map(getRequest);
  return requests.map(({ path, method = "GET", headers = [], body, bodyFrom, weight = 1, expectStatus }) => ({
    path,
    method,
    headers: headers.map(({ name, value = "", valueFrom }) =>
      valueFrom === undefined ? { name, value } : { name, valueFile: fileOf(valueFrom) },
    ),
    body,
    ...(bodyFrom === undefined ? {} : { bodyFile: fileOf(bodyFrom) }),
    weight,
    expectStatus,
  }));
}

function clientCertificate({ tls }: LoadTestSpec): EffectiveSpec["clientCertificate"] {
  if (tls?.clientCertificateFrom === undefined) return undefined;
  const [chain, key] = certificateKeys(tls.clientCertificateFrom);
  return { certFile: mountedFile(chain), keyFile: mountedFile(key) };
}

function fileOf(source: ValueSource): string {
  return mountedFile(mountedKey(source));
}

function optionalFile(source: ValueSource | undefined): string | undefined {
  return source === undefined ? undefined : fileOf(source);
}

function optionalDurationNs(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseDuration(text);
}

function sumOf(stages: readonly { durationNs: number }[]): number {
  return stages.reduce((sum, { durationNs }) => sum + durationNs, 0);
}
