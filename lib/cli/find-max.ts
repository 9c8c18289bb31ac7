// `loadtest run --find-max`: a line for each probe, then the highest rate that kept the thresholds.
import { findMax } from "../local/find-max.ts";
import type { LoadRun } from "../local/run-load.ts";
import { formatMaximum, formatProbe, probeHead } from "../report/maximum.ts";
import { terminal, writeErr, writeOut } from "../runtime/output.ts";
import type { Maximum } from "../stats/maximum.ts";
import type { Threshold } from "../stats/threshold.ts";
import { ExitCode } from "./exit-code.ts";
import { RunView } from "./run-view.ts";

/** What must be kept when nothing is asked for. */
export const defaultThresholds: readonly Threshold[] = [
  { name: "p99", value: 100e6 },
  { name: "errorRate", value: 0 },
];

export async function printMaximum(run: LoadRun, output: "text" | "json", isQuiet: boolean): Promise<ExitCode> {
  const found = isQuiet ? await findMax(run, () => {}) : await findInView(run);
  const isStopped = run.stop.aborted;
  writeOut(output === "json" ? `${JSON.stringify(found, null, 2)}\n` : formatMaximum(found, isStopped));
  if (isStopped || found.generatorLimits.length > 0) return ExitCode.Inconclusive;
  if (found.requestsPerSecond === null) return ExitCode.ThresholdsFailed;
  return found.isExact ? ExitCode.Passed : ExitCode.Inconclusive;
}

/** Each probe a line as soon as it is done; below them, on a terminal, the one that runs. */
async function findInView(run: LoadRun): Promise<Maximum> {
  const asked = { totalSeconds: (run.load.durationNs ?? Number.POSITIVE_INFINITY) / 1e9, dueUntil: undefined };
  const newView = () => new RunView(asked, run.load.workers, run.stop);
  let view = newView();
  let probes = 0;
  writeErr(`${probeHead}\n`);
  const onSnapshots: LoadRun["onSnapshots"] = (snapshots) => {
    if (terminal() !== undefined) view.take(snapshots);
  };
  try {
    return await findMax({ ...run, onSnapshots }, (probe) => {
      view.end();
      view = newView();
      writeErr(`${formatProbe(probe, ++probes)}\n`);
    });
  } finally {
    view.end();
    writeErr("\n");
  }
}
