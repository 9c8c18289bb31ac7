import { expect, test } from "bun:test";
import fc from "fast-check";
import { emptyAccount, failureKinds, imbalance } from "../../lib/stats/account.ts";
import { coarsen } from "../../lib/stats/compact-histogram.ts";
import { allRecordings, mergeRecordings } from "../../lib/stats/recording.ts";
import { formatTerminationMessage, terminationMessageBytes } from "../../lib/stats/termination-message.ts";
import { parseTerminationMessage, type WorkerResult } from "../../lib/stats/worker-result.ts";
import { completed, wideLatencies, workerRecording } from "./worker-recordings.ts";

const latencies = fc.array(fc.integer({ min: 0, max: 1e10 }), { maxLength: 30 });
const backends = (most: number) =>
  fc.integer({ min: 1, max: 4 }).chain((paths) =>
    fc.array(fc.array(latencies.map(completed), { minLength: paths, maxLength: paths }), {
      minLength: 1,
      maxLength: most,
    }),
  );

test("a result survives its message: the account whole, histograms at the resolution that they say", () => {
  fc.assert(
    fc.property(backends(4), (recorded) => {
      const recording = workerRecording(3, recorded);
      recording.generator.counters.cpuNs = 5e8;
      recording.generator.slip.record(1234);
      const text = formatTerminationMessage(recording);
      const result = parseTerminationMessage(text) as WorkerResult;
      const { account, ...histograms } = mergeRecordings(allRecordings(recording));
      const { worker, startedAtMs, endedAtMs, scheduledSeconds, completedInTime, generator } = recording;
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(terminationMessageBytes);
      expect(result).toMatchObject({ worker, startedAtMs, endedAtMs, scheduledSeconds, completedInTime, account });
      expect(result.counters).toEqual(generator.counters);
      const expected = { ...histograms, generatorSlip: generator.slip, connectionWait: generator.connectionWait };
      for (const name of ["latency", "service", "slip", "generatorSlip", "connectionWait"] as const) {
        const { histogram, slotsPerOctave } = result[name];
        expect(histogram).toEqual(coarsen(expected[name], slotsPerOctave));
      }
    }),
    { numRuns: 50 },
  );
});

test("of several backends and requests each one's account and latency come along", () => {
  fc.assert(
    fc.property(backends(4), (recorded) => {
      const result = parseTerminationMessage(formatTerminationMessage(workerRecording(0, recorded))) as WorkerResult;
      const byBackend = recorded.map(mergeRecordings);
      const byPath = (recorded[0] ?? []).map((_, path) => mergeRecordings(recorded.flatMap((one) => one[path] ?? [])));
      for (const [parts, whole] of [
        [result.backends, byBackend],
        [result.paths, byPath],
      ] as const) {
        expect(parts?.length).toBe(whole.length < 2 ? undefined : whole.length);
        for (const [index, part] of (parts ?? []).entries()) {
          const { account, latency } = whole[index] as (typeof whole)[number];
          expect(part.account).toEqual({ ...account, statusCodes: {} });
          expect(part.latency?.histogram).toEqual(coarsen(latency, part.latency?.slotsPerOctave ?? 0));
        }
      }
    }),
    { numRuns: 50 },
  );
});

test("the message fits its budget for the widest latencies, and keeps their quantiles", () => {
  const recording = workerRecording(0, [[completed(wideLatencies(20_000, 1))]]);
  const text = formatTerminationMessage(recording);
  expect(text.length).toBeLessThanOrEqual(terminationMessageBytes);
  const exactNs = recording.backends[0]?.paths[0]?.latency.quantileNs(0.99) as number;
  const latency = parseTerminationMessage(text)?.latency;
  expect(latency?.histogram.total).toBe(20_000);
  expect(Math.abs((latency?.histogram.quantileNs(0.99) ?? 0) / exactNs - 1)).toBeLessThan(0.04);
});

test("32 requests to 16 backends, failing in every way, and every status code there is do not burst the message", () => {
  const recorded = Array.from({ length: 16 }, (_, backend) =>
    Array.from({ length: 32 }, (_, path) => {
      const recording = completed(wideLatencies(200, backend * 32 + path));
      const failed = Object.fromEntries(failureKinds.map((kind, index) => [kind, 1e6 + index]));
      const failures = Object.values(failed).reduce((sum, count) => sum + count, 0);
      const statusCodes = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [String(100 + i), 1e9 + i]));
      const scheduled = recording.account.scheduled + failures;
      return { ...recording, account: { ...recording.account, scheduled, failed, statusCodes } };
    }),
  );
  const text = formatTerminationMessage(workerRecording(499, recorded));
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(terminationMessageBytes);
  const result = parseTerminationMessage(text) as WorkerResult;
  expect(result.account.failed).toEqual({ ...result.account.failed, dns: 16 * 32 * (1e6 + 9) });
  expect(imbalance(result.account)).toBe(0);
});

/** The compact histogram with another sum. */
function withSumNs(text: string, sumNs: number): string {
  const bytes = Buffer.from(text, "base64url");
  bytes.writeDoubleBE(sumNs, 10);
  return bytes.toString("base64url");
}

test("whatever is no result of ours is read as none", () => {
  const text = formatTerminationMessage(workerRecording(0, [[completed([1e6])]]));
  const message = JSON.parse(text);
  expect(parseTerminationMessage(text)).toBeDefined();
  for (const other of [
    "",
    "Cannot connect",
    "null",
    text.slice(0, -3),
    text + " ".repeat(4096),
    ...[
      { latency: "AAAA" },
      { account: { ...emptyAccount(), scheduled: 1 } },
      { account: { ...message.account, statusCodes: { x: 1 } } },
      { startedAtMs: 1e300 },
      { endedAtMs: 253_402_300_800_000 }, // the year 10000
      { account: { ...message.account, bytesReceived: 1e300 } },
      { account: { ...message.account, statusCodes: { 200: 1e300 } } },
      { generator: { ...message.generator, neglected: 1e300 } },
      { latency: withSumNs(message.latency, 1e308) },
      { worker: -1 },
      { generator: {} },
      { scheduledSeconds: "2" },
      { backends: [[[1], [], ""]] },
      { more: 1 },
    ].map((change) => JSON.stringify({ ...message, ...change })),
  ]) {
    expect(parseTerminationMessage(other)).toBeUndefined();
  }
});

test("a message damaged in one character is read as none or as a balanced result", () => {
  const text = formatTerminationMessage(workerRecording(0, [[completed(wideLatencies(50, 3))], [completed([1e6])]]));
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
      const result = parseTerminationMessage(text.slice(0, at) + character + text.slice(at + 1));
      if (result !== undefined) expect(imbalance(result.account)).toBe(0);
    }),
    { numRuns: 1000 },
  );
});
