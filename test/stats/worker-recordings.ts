// What workers have recorded, made by hand: all requests completed, after the given latencies.
import { emptyAccount } from "../../lib/stats/account.ts";
import { emptyGeneratorReport } from "../../lib/stats/generator.ts";
import { emptyRecording, type Recording, type WorkerRecording } from "../../lib/stats/recording.ts";

/** A tenth of each latency is slip. */
export function completed(latenciesNs: readonly number[]): Recording {
  const recording = emptyRecording();
  for (const latencyNs of latenciesNs) {
    const slipNs = Math.floor(latencyNs / 10);
    recording.latency.record(latencyNs);
    recording.slip.record(slipNs);
    recording.service.record(latencyNs - slipNs);
  }
  const count = latenciesNs.length;
  const statusCodes: Record<string, number> = count === 0 ? {} : { 200: count };
  recording.account = { ...emptyAccount(), scheduled: count, sent: count, completed: count, statusCodes };
  return recording;
}

/** Of one worker in a run of `scheduledSeconds`, by backend and request. */
export function workerRecording(
  worker: number,
  backends: readonly (readonly Recording[])[],
  scheduledSeconds = 2,
): WorkerRecording {
  const recordings = backends.flat();
  const startedAtMs = Date.UTC(2030, 0, 1);
  return {
    worker,
    startedAtMs,
    endedAtMs: startedAtMs + scheduledSeconds * 1000 + 50,
    scheduledSeconds,
    completedInTime: recordings.reduce((sum, { account }) => sum + account.completed, 0),
    backends: backends.map((paths, index) => ({ name: `backend-${index}`, paths: [...paths] })),
    generator: emptyGeneratorReport(),
  };
}

/** `count` latencies (ns) from 0.1 ms to 10 s, as many in each octave, the same for the same seed. */
export function wideLatencies(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const mixed = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(i + 1, 0x85ebca6b);
    const fraction = (Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35) >>> 0) / 4294967296;
    return Math.floor(1e5 * 1e5 ** fraction);
  });
}
