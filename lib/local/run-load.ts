// One run of a load on this machine, from the load to its summary.
import { rateCurve } from "../load/planned-schedule.ts";
import { type CompileOptions, compileWorkerPlans, type Destination, type Load, requestName } from "../plan/compile.ts";
import type { SnapshotLine } from "../stats/line.ts";
import { type Summary, summarize } from "../stats/summary.ts";
import type { Threshold } from "../stats/threshold.ts";
import { runLocally } from "./process-runtime.ts";

export interface LoadRun {
  load: Load;
  destination: Destination;
  options: CompileOptions;
  thresholds: readonly Threshold[];
  /** Ends the run early; the summary is of what was done until then. */
  stop: AbortSignal;
  /** Called with the newest snapshot of each worker whenever one has come. */
  onSnapshots: (snapshots: readonly SnapshotLine[]) => void;
}

/** Runs a load to its end. Rejects with what a worker said when it failed, or when it was ended before there was a result. */
export async function runLoad(run: LoadRun): Promise<Summary> {
  const { load, destination, options, thresholds, stop, onSnapshots } = run;
  const plans = compileWorkerPlans(load, destination, options);
  const workers = await runLocally({ plans, stop, onSnapshots });
  if (workers.length === 0) throw new Error("Cannot summarize the run: it was ended before there was a result");
  const curve = rateCurve(load);
  return summarize({
    paths: load.requests.map(requestName),
    askedUntil: curve === undefined ? undefined : (seconds) => curve.countAt(seconds * 1e9),
    workers,
    thresholds,
  });
}
