// The life of a worker: plan file in, snapshots on stdout, the result on stdout and in the termination message.
import { onClockOf } from "../load/live-change.ts";
import { beforeStartNs } from "../load/planned-schedule.ts";
import { monotonicFromWall, monotonicNs, nowMs, sleep } from "../runtime/clock.ts";
import { writeTextFile } from "../runtime/files.ts";
import { strainedNs } from "../stats/generator.ts";
import { encodeHistogram } from "../stats/histogram-codec.ts";
import { formatLine, type Preflight, type ReadyLine, resultLines, type SnapshotLine } from "../stats/line.ts";
import { allRecordings, type BackendRecording, mergeRecordings, type WorkerRecording } from "../stats/recording.ts";
import { formatTerminationMessage } from "../stats/termination-message.ts";
import { formatWorkerFailure } from "../stats/worker-failure.ts";
import { noFigures } from "../stats/worker-metrics.ts";
import { CheckpointFile } from "./checkpoint-file.ts";
import { Driver } from "./driver.ts";
import { MetricsEndpoint } from "./metrics-endpoint.ts";
import { PlanFile } from "./plan-file.ts";
import { preflight } from "./preflight.ts";
import { TargetError } from "./target-error.ts";

/** How often the plan file is looked at: before the start, and while the load runs. */
const startCheckMs = 50;
const changeCheckMs = 100;
/** Who begins by itself says so before: its first request is not to wait for that. */
const announceMs = 10;

export interface WorkerOptions {
  planFile: string;
  resultFile: string;
  /** Outlives the process, so that one that takes its place goes on from it. Absent: it knows of nothing. */
  checkpointFile?: string | undefined;
  /** Where Prometheus finds its metrics; absent: nowhere. */
  metricsPort?: number | undefined;
  /** Ends the run early, with its account complete. */
  stop: AbortSignal;
  write: (text: string) => void;
}

/**
 * Runs one worker to its end, which its plan brings, or `stop` before that; the result is written either way. Rejects when
 * the plan cannot be read or the target not be reached at all; the result file then says why.
 */
export async function runWorker(options: WorkerOptions): Promise<"ended" | "interrupted"> {
  let endpoint: MetricsEndpoint | undefined;
  try {
    endpoint = options.metricsPort === undefined ? undefined : new MetricsEndpoint(options.metricsPort);
    const { recording, isInterrupted } = await drive(options, endpoint);
    writeTextFile(options.resultFile, formatTerminationMessage(recording));
    return isInterrupted ? "interrupted" : "ended";
  } catch (error: unknown) {
    const reason = error instanceof TargetError ? error.kind : "other";
    writeTextFile(options.resultFile, formatWorkerFailure({ reason, message: (error as Error).message }));
    throw error;
  } finally {
    await endpoint?.stop();
  }
}

async function drive(
  { planFile, checkpointFile, stop, write }: WorkerOptions,
  endpoint: MetricsEndpoint | undefined,
): Promise<{ recording: WorkerRecording; isInterrupted: boolean }> {
  const file = await PlanFile.open(planFile);
  const planStop = new AbortController();
  const anyStop = AbortSignal.any([stop, planStop.signal]);
  if (file.plan.stop === true) planStop.abort();
  const checkpoint = checkpointFile === undefined ? undefined : new CheckpointFile(checkpointFile);
  const former = checkpoint?.read();
  const known = former === undefined ? {} : mergeRecordings(allRecordings(former));
  endpoint?.update({ ...noFigures(), ...known });
  const driver = await Driver.create(file.plan);
  let tried: Preflight | undefined;
  if (former === undefined) {
    await driver.open(anyStop);
    if (file.plan.preflight === true && file.plan.startAtMs === undefined) tried = await preflight(file.plan, anyStop);
    await untilStart(driver, file, tried, planStop, anyStop, write);
  } else await resume(driver, former, anyStop);
  const plannedStartAtMs = former?.startedAtMs ?? file.plan.startAtMs;
  const startedAtMs = plannedStartAtMs ?? nowMs() + announceMs;
  const startNs = monotonicFromWall(startedAtMs);
  const recordingOf = (backends: BackendRecording[], scheduledSeconds: number): WorkerRecording => ({
    worker: file.plan.worker.index,
    startedAtMs,
    endedAtMs: nowMs(),
    scheduledSeconds,
    completedInTime: driver.completedInTime(),
    backends,
    generator: driver.generatorReport(),
  });
  const checkpointAt = (elapsedNs: number) => recordingOf(driver.checkpoint(elapsedNs), elapsedNs / 1e9);
  const saySnapshot = (elapsedNs: number) => {
    const { account, latency, slip } = mergeRecordings(allRecordings({ backends: driver.recordings() }));
    const line: SnapshotLine = {
      kind: "snapshot",
      worker: file.plan.worker.index,
      plan: file.hash,
      startedAtMs,
      elapsedSeconds: elapsedNs / 1e9,
      account,
      latency: encodeHistogram(latency),
      strainedSeconds: strainedNs(driver.generatorReport()) / 1e9,
      ...(tried === undefined ? {} : { preflight: tried }),
    };
    write(formatLine(line));
    const preflightRequests = tried?.requests ?? 0;
    endpoint?.update({ account, latency, slip, preflightRequests, ...driver.condition(elapsedNs) });
    checkpoint?.write(() => checkpointAt(monotonicNs() - startNs));
  };
  if (plannedStartAtMs === undefined) saySnapshot(0); // nobody else knows when it begins
  if (former === undefined) checkpoint?.write(() => checkpointAt(beforeStartNs)); // the start is known
  const isOver = new AbortController();
  const following = follow(driver, file, startedAtMs, planStop, isOver.signal, () =>
    saySnapshot(monotonicNs() - startNs),
  );
  await driver.run(startNs, anyStop, saySnapshot);
  isOver.abort();
  const recording = recordingOf(driver.recordings(), driver.scheduledSeconds());
  const planError = await following;
  // The message will say why, and no more: log and checkpoint are to know all that is known.
  if (planError !== undefined) saySnapshot(monotonicNs() - startNs);
  for (const line of resultLines(recording)) write(formatLine(line));
  if (planError !== undefined) throw planError;
  return { recording, isInterrupted: stop.aborted && !planStop.signal.aborted && driver.wasCutShort };
}

/** Goes on from the checkpoint of an earlier process: also when the target cannot be reached, which is then recorded. */
async function resume(driver: Driver, former: WorkerRecording, stop: AbortSignal): Promise<void> {
  driver.resume(former);
  try {
    await driver.open(stop);
  } catch (error: unknown) {
    if (!(error instanceof TargetError)) throw error;
  }
}

/**
 * Says that the worker is ready and, behind a barrier, again every second until the plan file tells the start, so that it
 * notices when nobody listens any more. A plan that changes meanwhile is followed, and acknowledged at once.
 */
async function untilStart(
  driver: Driver,
  file: PlanFile,
  tried: Preflight | undefined,
  planStop: AbortController,
  stop: AbortSignal,
  write: (text: string) => void,
): Promise<void> {
  const sayReady = () => {
    const line: ReadyLine = { kind: "ready", worker: file.plan.worker.index, plan: file.hash };
    write(formatLine(tried === undefined ? line : { ...line, preflight: tried }));
  };
  sayReady();
  for (let waits = 1; file.plan.barrier && file.plan.startAtMs === undefined && !stop.aborted; waits++) {
    await sleep(startCheckMs, stop);
    const hasChanged = await file.followChange((plan) => driver.follow(plan));
    if (file.plan.stop === true) planStop.abort();
    if (hasChanged || (waits * startCheckMs) % 1000 === 0) sayReady();
  }
}

/**
 * Keeps the driver at the plan that the file holds, until `isOver`. Resolves with the error that a plan is which cannot be
 * followed; the run is then stopped. After the end no plan matters any more.
 */
async function follow(
  driver: Driver,
  file: PlanFile,
  startedAtMs: number,
  planStop: AbortController,
  isOver: AbortSignal,
  onFollowed: () => void,
): Promise<Error | undefined> {
  while (true) {
    await sleep(changeCheckMs, isOver);
    if (isOver.aborted) return undefined;
    try {
      const hasChanged = await file.followChange((plan) => driver.follow(onClockOf(startedAtMs, plan)));
      if (!hasChanged || isOver.aborted) continue;
      onFollowed();
      if (file.plan.stop === true) planStop.abort();
    } catch (error: unknown) {
      if (isOver.aborted) return undefined;
      planStop.abort();
      return error as Error;
    }
  }
}
