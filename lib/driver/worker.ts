// The life of a worker: plan file in, snapshots on stdout, the result on stdout and in the termination message.
import { parseWorkerPlan, type WorkerPlan } from "../load/worker-plan.ts";
import { monotonicFromWall, monotonicNs, nowMs, sleep } from "../runtime/clock.ts";
import { readTextFile, writeTextFile } from "../runtime/files.ts";
import { encodeHistogram } from "../stats/histogram-codec.ts";
import { formatLine, type ReadyLine, resultLines, type SnapshotLine, terminationMessage } from "../stats/line.ts";
import { mergeRecordings, type WorkerRecording } from "../stats/recording.ts";
import { Driver } from "./driver.ts";

const planCheckMs = 50;

export interface WorkerOptions {
  planFile: string;
  resultFile: string;
  /** Ends the run early, with its account complete. */
  stop: AbortSignal;
  write: (text: string) => void;
}

/**
 * Runs one worker to its end. Rejects when the plan cannot be read or the target not be reached at all; the result file
 * then says why.
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  try {
    writeTextFile(options.resultFile, terminationMessage(await drive(options)));
  } catch (error: unknown) {
    writeTextFile(options.resultFile, (error as Error).message);
    throw error;
  }
}

async function drive({ planFile, stop, write }: WorkerOptions): Promise<WorkerRecording> {
  const plan = parseWorkerPlan(await readTextFile(planFile));
  const driver = new Driver(plan);
  await driver.open(stop);
  write(formatLine({ kind: "ready", worker: plan.worker.index } satisfies ReadyLine));
  const plannedStartAtMs = await startInstant(plan, planFile, stop);
  const startNs = plannedStartAtMs === undefined ? monotonicNs() : monotonicFromWall(plannedStartAtMs);
  const startedAtMs = plannedStartAtMs ?? nowMs();
  const worker = plan.worker.index;
  await driver.run(startNs, stop, (elapsedNs) => {
    const { account, latency } = mergeRecordings(driver.recordings());
    const line: SnapshotLine = {
      kind: "snapshot",
      worker,
      startedAtMs,
      elapsedSeconds: elapsedNs / 1e9,
      account,
      latency: encodeHistogram(latency),
    };
    write(formatLine(line));
  });
  const recording = {
    worker,
    startedAtMs,
    endedAtMs: nowMs(),
    scheduledSeconds: driver.scheduledSeconds(),
    paths: driver.recordings(),
    generatorSlip: driver.generatorSlip,
  };
  for (const line of resultLines(recording)) write(formatLine(line));
  return recording;
}

/** The planned instant of request 0, waited for in the plan file behind a barrier; undefined: now. */
async function startInstant(plan: WorkerPlan, planFile: string, stop: AbortSignal): Promise<number | undefined> {
  let { startAtMs } = plan;
  while (plan.barrier && startAtMs === undefined && !stop.aborted) {
    await sleep(planCheckMs, stop);
    startAtMs = parseWorkerPlan(await readTextFile(planFile)).startAtMs;
  }
  return startAtMs;
}
