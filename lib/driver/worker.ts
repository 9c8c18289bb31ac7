// The life of a worker: plan file in, snapshots on stdout, the result on stdout and in the termination message.
import { rateCurve } from "../load/planned-schedule.ts";
import { parseWorkerPlan, type WorkerPlan } from "../load/worker-plan.ts";
import { monotonicFromWall, monotonicNs, nowMs, sleep } from "../runtime/clock.ts";
import { readTextFile, readTextFileIfPossible, writeTextFile } from "../runtime/files.ts";
import { encodeHistogram } from "../stats/histogram-codec.ts";
import { formatLine, type ReadyLine, resultLines, type SnapshotLine } from "../stats/line.ts";
import { allRecordings, mergeRecordings, type WorkerRecording } from "../stats/recording.ts";
import { formatTerminationMessage } from "../stats/termination-message.ts";
import { Driver } from "./driver.ts";

/** How often the plan file is looked at: before the start, and while the load runs. */
const startCheckMs = 50;
const changeCheckMs = 250;

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
    writeTextFile(options.resultFile, formatTerminationMessage(await drive(options)));
  } catch (error: unknown) {
    writeTextFile(options.resultFile, (error as Error).message);
    throw error;
  }
}

async function drive({ planFile, stop, write }: WorkerOptions): Promise<WorkerRecording> {
  const planText = await readTextFile(planFile);
  const plan = parseWorkerPlan(planText);
  const driver = await Driver.create(plan);
  await driver.open(stop);
  const sayReady = () => write(formatLine({ kind: "ready", worker: plan.worker.index } satisfies ReadyLine));
  const plannedStartAtMs = await startInstant(plan, planFile, stop, sayReady);
  const startNs = plannedStartAtMs === undefined ? monotonicNs() : monotonicFromWall(plannedStartAtMs);
  const startedAtMs = plannedStartAtMs ?? nowMs();
  const worker = plan.worker.index;
  const isOver = new AbortController();
  const following = followRate(driver, planFile, planText, isOver.signal);
  const badPlan = new AbortController();
  following.then((error) => badPlan.abort(error));
  await driver.run(startNs, AbortSignal.any([stop, badPlan.signal]), (elapsedNs) => {
    const { account, latency } = mergeRecordings(allRecordings({ backends: driver.recordings() }));
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
  isOver.abort();
  const recording = {
    worker,
    startedAtMs,
    endedAtMs: nowMs(),
    scheduledSeconds: driver.scheduledSeconds(),
    completedInTime: driver.completedInTime(),
    backends: driver.recordings(),
    generator: driver.generatorReport(),
  };
  for (const line of resultLines(recording)) write(formatLine(line));
  const planError = await following;
  if (planError !== undefined) throw planError;
  return recording;
}

/**
 * The planned instant of request 0, waited for in the plan file behind a barrier; undefined: now. Says that it is ready,
 * and again every second, so that it notices when nobody listens any more.
 */
async function startInstant(
  plan: WorkerPlan,
  planFile: string,
  stop: AbortSignal,
  sayReady: () => void,
): Promise<number | undefined> {
  let { startAtMs } = plan;
  sayReady();
  for (let waits = 1; plan.barrier && startAtMs === undefined && !stop.aborted; waits++) {
    await sleep(startCheckMs, stop);
    startAtMs = parseWorkerPlan(await readTextFile(planFile)).startAtMs;
    if ((waits * startCheckMs) % 1000 === 0) sayReady();
  }
  return startAtMs;
}

/**
 * Keeps the driver at the rate that the plan file asks for, until `isOver`; the file is looked at again when it cannot
 * be read for a moment. Resolves with the error that a file without a plan is, at once.
 */
async function followRate(
  driver: Driver,
  planFile: string,
  knownText: string,
  isOver: AbortSignal,
): Promise<Error | undefined> {
  let text = knownText;
  while (!isOver.aborted) {
    await sleep(changeCheckMs, isOver);
    const present = readTextFileIfPossible(planFile);
    if (present === undefined || present === text) continue;
    text = present;
    try {
      const curve = rateCurve(parseWorkerPlan(present));
      if (curve !== undefined) driver.follow(curve);
    } catch (error: unknown) {
      return error as Error;
    }
  }
  return undefined;
}
