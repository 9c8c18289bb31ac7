// The result of a worker as its container's termination message: at most 4096 bytes of JSON.
//
//   always      the totals: account whole, counters of the generator, five histograms in a compact form
//   if it fits  of several backends or requests each one's account, without status codes and bytes, and its latency
//
// Latency, which thresholds judge, gets the most. It is read back in worker-result.ts.
import Type, { type Static } from "typebox";
import { Account, failureKinds } from "./account.ts";
import { encodeCompact } from "./compact-histogram.ts";
import { emptyCounters, type GeneratorCounters } from "./generator.ts";
import type { Histogram } from "./histogram.ts";
import { allRecordings, mergeRecordings, type Recording, type WorkerRecording } from "./recording.ts";
import { longestSeconds, toldCount, toldInstantMs, toldSeconds } from "./told.ts";

/** A container's termination message holds at most this many bytes. */
export const terminationMessageBytes = 4096;

const mostStatusCodes = 64;
/** A latency in fewer bytes says too little. */
const leastPartBytes = 64;

function closed<T extends Parameters<typeof Type.Object>[0]>(properties: T) {
  return Type.Object(properties, { additionalProperties: false });
}

const Count = toldCount();
/** Nanoseconds, or how often something happened. */
const Counter = Type.Number({ minimum: 0, maximum: longestSeconds * 1e9 });

/** scheduled, sent, completed, timedOut, inFlight, unsent, lost; pairs of a failure's kind and count; latency or "". */
const Part = Type.Tuple([Type.Array(Count, { minItems: 7, maxItems: 7 }), Type.Array(Count), Type.String()]);
export type Part = Static<typeof Part>;

export const TerminationMessage = closed({
  kind: Type.Literal("result"),
  worker: Count,
  startedAtMs: toldInstantMs(),
  endedAtMs: toldInstantMs(),
  scheduledSeconds: toldSeconds(),
  completedInTime: Count,
  account: Account,
  generator: closed(
    Object.fromEntries(Object.keys(emptyCounters()).map((name) => [name, Counter])) as Record<
      keyof GeneratorCounters,
      typeof Counter
    >,
  ),
  latency: Type.String(),
  service: Type.String(),
  slip: Type.String(),
  generatorSlip: Type.String(),
  connectionWait: Type.String(),
  /** In the order of the plan; absent with a single one, or for want of room. */
  backends: Type.Optional(Type.Array(Part)),
  paths: Type.Optional(Type.Array(Part)),
});
export type TerminationMessage = Static<typeof TerminationMessage>;

export function formatTerminationMessage(recording: WorkerRecording): string {
  const { worker, startedAtMs, endedAtMs, scheduledSeconds, completedInTime, generator } = recording;
  const { account: whole, ...histograms } = mergeRecordings(allRecordings(recording));
  // A server that answers with hundreds of different codes would leave no room for anything else.
  const hasFewCodes = Object.keys(whole.statusCodes).length <= mostStatusCodes;
  const account = hasFewCodes ? whole : { ...whole, statusCodes: {} };
  const noHistograms = { latency: "", service: "", slip: "", generatorSlip: "", connectionWait: "" };
  const totals: TerminationMessage = {
    kind: "result",
    worker,
    startedAtMs,
    endedAtMs,
    scheduledSeconds,
    completedInTime,
    account,
    generator: generator.counters,
    ...noHistograms,
  };
  const message = { ...totals, ...partsWithin(recording, freeBytes(totals) / 2) };
  const budgetBytes = freeBytes(message);
  const encode = (histogram: Histogram, shareOfBudget: number) =>
    encodeCompact(histogram, Math.floor(budgetBytes * shareOfBudget)).text;
  const small = {
    service: encode(histograms.service, 1 / 6),
    slip: encode(histograms.slip, 1 / 6),
    generatorSlip: encode(generator.slip, 1 / 12),
    connectionWait: encode(generator.connectionWait, 1 / 12),
  };
  const restBytes = budgetBytes - Object.values(small).reduce((sum, text) => sum + text.length, 0);
  return formatMessage({ ...message, ...small, latency: encodeCompact(histograms.latency, restBytes).text });
}

function formatMessage(message: TerminationMessage): string {
  return `${JSON.stringify(message)}\n`;
}

/** What is left for the histograms; their text needs no quoting. */
function freeBytes(message: TerminationMessage): number {
  return terminationMessageBytes - Buffer.byteLength(formatMessage(message));
}

/** As much of the parts as fits: all with their latencies, all without, or of the backends alone. */
function partsWithin(
  { backends }: WorkerRecording,
  budgetBytes: number,
): Pick<TerminationMessage, "backends" | "paths"> {
  const pathCount = Math.max(...backends.map(({ paths }) => paths.length));
  const byBackend = backends.length < 2 ? undefined : backends.map(({ paths }) => mergeRecordings(paths));
  const byPath =
    pathCount < 2
      ? undefined
      : Array.from({ length: pathCount }, (_, path) =>
          mergeRecordings(backends.flatMap(({ paths }) => paths[path] ?? [])),
        );
  for (const [someBackends, somePaths] of [[byBackend, byPath], [byBackend]]) {
    const count = (someBackends?.length ?? 0) + (somePaths?.length ?? 0);
    const withLatencyOf = (latencyBytes: number): Pick<TerminationMessage, "backends" | "paths"> => ({
      ...(someBackends === undefined ? {} : { backends: someBackends.map((one) => encodePart(one, latencyBytes)) }),
      ...(somePaths === undefined ? {} : { paths: somePaths.map((one) => encodePart(one, latencyBytes)) }),
    });
    const bare = withLatencyOf(0);
    const latencyBytes = Math.floor((budgetBytes - JSON.stringify(bare).length) / Math.max(1, count));
    if (latencyBytes >= leastPartBytes) return withLatencyOf(latencyBytes);
    if (latencyBytes >= 0) return bare;
  }
  return {};
}

function encodePart({ account, latency }: Recording, latencyBytes: number): Part {
  const { scheduled, sent, completed, timedOut, inFlight, unsent, lost, failed } = account;
  const failures = failureKinds.flatMap((kind, index) => (failed[kind] === undefined ? [] : [index, failed[kind]]));
  const text = latencyBytes === 0 ? "" : encodeCompact(latency, latencyBytes).text;
  return [[scheduled, sent, completed, timedOut, inFlight, unsent, lost], failures, text];
}
