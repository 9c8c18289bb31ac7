import { expect, test } from "bun:test";
import Ajv from "ajv";
import fc from "fast-check";
import { type Account, emptyAccount, imbalance, sumAccounts } from "../../lib/stats/account.ts";
import { Collector } from "../../lib/stats/collector.ts";
import { emptyGeneratorReport } from "../../lib/stats/generator.ts";
import { formatLine, parseLine, resultLines } from "../../lib/stats/line.ts";
import { emptyRecording, type WorkerRecording } from "../../lib/stats/recording.ts";
import { Summary, summarize } from "../../lib/stats/summary.ts";

function recordingOf(worker: number, latenciesNs: readonly number[]): WorkerRecording {
  const recording = emptyRecording();
  for (const latencyNs of latenciesNs) recording.latency.record(latencyNs);
  const count = latenciesNs.length;
  recording.account = {
    ...emptyAccount(),
    scheduled: count,
    sent: count,
    completed: count,
    statusCodes: { 200: count },
  };
  return {
    worker,
    startedAtMs: 1000,
    endedAtMs: 3000,
    scheduledSeconds: 2,
    completedInTime: count,
    backends: [{ name: "web", paths: [recording] }],
    generator: emptyGeneratorReport(),
  };
}

const input = { paths: ["/"], askedUntil: (seconds: number) => 2 * seconds, thresholds: [] };

test("the sum of balanced accounts is balanced and counts every kind", () => {
  const one: Account = {
    ...emptyAccount(),
    scheduled: 6,
    completed: 2,
    failed: { refused: 1 },
    timedOut: 1,
    inFlight: 1,
    unsent: 1,
  };
  const two: Account = { ...emptyAccount(), scheduled: 3, failed: { refused: 1, dns: 1 }, lost: 1 };
  const sum = sumAccounts([one, two]);
  expect(imbalance(sum)).toBe(0);
  expect(sum.failed).toEqual({ refused: 2, dns: 1 });
});

test("a recording survives its lines whole, whatever stands between them", () => {
  const latencies = fc.array(fc.integer({ min: 0, max: 1e10 }), { maxLength: 100 });
  fc.assert(
    fc.property(fc.array(latencies, { minLength: 1, maxLength: 4 }), (workers) => {
      const recordings = workers.map((values, worker) => recordingOf(worker, values));
      const collector = new Collector();
      for (const line of recordings.flatMap(resultLines)) {
        for (const text of ["noise", '{"kind":"snap', formatLine(line).trimEnd()]) {
          const parsed = parseLine(text);
          if (parsed !== undefined) collector.take(parsed);
        }
      }
      expect(collector.recordings()).toEqual(recordings);
      const merged = summarize({ ...input, workers: collector.recordings() });
      const direct = summarize({ ...input, workers: [recordingOf(0, workers.flat())] });
      expect(merged.latencyUs).toEqual(direct.latencyUs);
    }),
    { numRuns: 50 },
  );
});

test("nothing completed is not passed", () => {
  expect(summarize({ ...input, workers: [recordingOf(0, [])] }).passed).toBe(false);
});

test("a generator that was late by itself makes the result inconclusive, and is named", () => {
  const recording = recordingOf(0, [3e6, 3e6]);
  recording.generator.slip.record(2e6);
  const summary = summarize({ ...input, workers: [recording] });
  expect(summary).toMatchObject({ valid: false, passed: null });
  expect(summary.invalidReasons[0]).toContain("late by itself: 2.0");
});

test("a summary is what its published schema says", () => {
  const summary = summarize({
    ...input,
    workers: [recordingOf(0, [1e6, 2e6])],
    thresholds: [{ name: "p99", value: 1e6 }],
  });
  const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true, formats: { "date-time": true } });
  ajv.validate(Summary, summary);
  expect(ajv.errors).toBeNull();
  expect(summary.passed).toBe(false);
});

test("a run that was stopped before anything was due asked for nothing", () => {
  const recording = { ...recordingOf(0, []), scheduledSeconds: 0 };
  const thresholds = [{ name: "minRate" as const, value: 0.9 }];
  const summary = summarize({ ...input, thresholds, workers: [recording] });
  expect(summary.askedPerSecond).toBe(0);
  expect(summary.thresholds).toMatchObject([{ passed: true }]);
});
