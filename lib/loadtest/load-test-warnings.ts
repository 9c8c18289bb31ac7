// What a LoadTest may ask for, but may not mean.
import { effectiveSpec, highestRate } from "./defaults.ts";
import type { LoadTestSpec } from "./load-test.ts";

/** Above it a worker is likely to be the limit of the test. */
const ratePerWorker = 30_000;
/** A connection carries one request at a time: fewer than these hold back what takes a fifth of a second. */
const ratePerConnection = 1000;
const secretHeaders = ["authorization", "cookie", "proxy-authorization", "x-api-key"];

/** One sentence each, of at most 256 characters, which is where the API server cuts them off. */
export function loadTestWarnings(spec: LoadTestSpec): string[] {
  const { workers, connections, durationNs, port, requests, thresholds, abortOnFailure, mountedKeys } =
    effectiveSpec(spec);
  const rate = highestRate(spec);
  const canAbort = abortOnFailure && thresholds.length > 0;
  const headers = requests.flatMap((request) => request.headers);
  const plain = headers.filter(({ valueFile }) => valueFile === undefined).map(({ name }) => name);
  const secret = plain.find((name) => secretHeaders.includes(name.toLowerCase()));
  const found: (string | false)[] = [
    durationNs === undefined &&
      `spec.duration: is missing, so the load goes on until spec.state is Stopped${canAbort ? ", a threshold is broken" : ""} or the LoadTest is deleted, even while the controller is away`,
    durationNs === undefined &&
      thresholds.length > 0 &&
      !canAbort &&
      "spec.thresholds: are judged when the load has ended, and spec.duration is missing: only spec.state Stopped ends it with a verdict",
    spec.thresholds !== undefined &&
      thresholds.length === 0 &&
      "spec.thresholds: limits nothing, so that a single completed request passes",
    rate > workers * ratePerWorker &&
      `spec.workers: ${workers} for ${rate} requests per second; beyond ${ratePerWorker} each, a worker may be the limit`,
    rate > workers * connections * ratePerConnection &&
      `spec.connections: ${connections} for each of ${workers} workers; at ${rate} requests per second each must answer within ${round((1000 * workers * connections) / rate)} ms`,
    spec.tls?.insecureSkipVerify === true && "spec.tls.insecureSkipVerify: true, so any server may pass for the target",
    secret !== undefined &&
      `spec.requests: the header ${secret} stands here in plain text, for everybody who may read LoadTests`,
    spec.scheme === "http" &&
      mountedKeys.some(({ kind }) => kind === "Secret") &&
      "spec.requests: values from Secrets go over the network in plain text, since scheme is http",
    port === (spec.scheme === "https" ? 80 : 443) &&
      `spec.port: ${port} is the other scheme's usual port, and scheme is ${spec.scheme}`,
  ];
  return found.filter((warning) => warning !== false);
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
