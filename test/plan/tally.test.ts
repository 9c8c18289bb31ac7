import { expect, test } from "bun:test";
import fc from "fast-check";
import { measurementOf } from "../../lib/plan/results.ts";
import { type Account, emptyAccount, imbalance } from "../../lib/stats/account.ts";
import type { Recording } from "../../lib/stats/recording.ts";
import { completed, workerRecording } from "../stats/worker-recordings.ts";
import { loadTest, succeeded, workerPods } from "./finished-pods.ts";

interface Fates {
  completed: number;
  timedOut: number;
  inFlight: number;
  unsent: number;
  lost: number;
  refused: number;
}

const few = fc.nat(5);
const fates = fc.record<Fates>({
  completed: fc.nat(30),
  timedOut: few,
  inFlight: few,
  unsent: few,
  lost: few,
  refused: few,
});
/** What became of its requests, by backend and path, as far as a worker knew of these when it ended. */
const worker = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })).chain(([backends, paths]) => {
  const ofBackend = fc.array(fates, { minLength: paths, maxLength: paths });
  return fc.array(ofBackend, { minLength: backends, maxLength: backends });
});

function recordingOf({ refused, ...counts }: Fates): Recording {
  const recording = completed(Array(counts.completed).fill(1e6));
  const scheduled = sumOf([...Object.values(counts), refused]);
  const sent = counts.completed + counts.timedOut + counts.inFlight;
  const failed = refused === 0 ? {} : { refused };
  return { ...recording, account: { ...recording.account, ...counts, failed, scheduled, sent } };
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Without what nobody tells of, which is of the whole alone. */
function told({ scheduled, lost }: Pick<Account, "scheduled" | "lost">): number {
  return scheduled - lost;
}

test("with backends and requests appended in mid-run, those told of add up to the whole, whichever workers ended before", () => {
  fc.assert(
    fc.property(fc.array(worker, { minLength: 1, maxLength: 4 }), (workers) => {
      const backends = Math.max(...workers.map(({ length }) => length));
      const paths = Math.max(...workers.map(([first = []]) => first.length));
      const names = Array.from({ length: paths }, (_, at) => `/${at}`);
      const pods = workerPods(loadTest({ workers: workers.length, paths: names }), backends).map((pod, index) =>
        succeeded(pod, workerRecording(index, workers[index]?.map((each) => each.map(recordingOf)) ?? [])),
      );
      const results = measurementOf(pods, [])?.results;
      // Who ended when there was but one names none: of which part its requests were, nobody says.
      expect(results?.backends?.length).toBe(workers.every(({ length }) => length > 1) ? backends : undefined);
      expect(results?.paths?.length).toBe(workers.every(([first = []]) => first.length > 1) ? paths : undefined);
      for (const parts of [results?.backends, results?.paths]) {
        if (results === undefined || parts === undefined) continue;
        expect(sumOf(parts.map(told))).toBe(told(results));
        for (const name of ["sent", "completed", "timedOut", "inFlight", "unsent"] as const) {
          expect(sumOf(parts.map((part) => part[name]))).toBe(results[name]);
        }
        expect(sumOf(parts.map(({ failed }) => failed["refused"] ?? 0))).toBe(results.failed["refused"] ?? 0);
        for (const part of parts) expect(imbalance({ ...emptyAccount(), ...part })).toBe(0);
      }
      for (const [at, part] of (results?.backends ?? []).entries()) {
        const own = workers.flatMap((each) => each[at] ?? []);
        expect(part.completed).toBe(sumOf(own.map((one) => one.completed)));
      }
    }),
  );
});
