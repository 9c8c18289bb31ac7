// `loadtest run`: a LoadTest on this machine, without a cluster.
import { Command } from "commander";
import { rateCurve } from "../load/planned-schedule.ts";
import { type LoadRun, runLoad } from "../local/run-load.ts";
import type { AskedLoad } from "../report/progress.ts";
import { formatSummary } from "../report/text.ts";
import { writeOut } from "../runtime/output.ts";
import { stopSignal } from "../runtime/signals.ts";
import type { Summary } from "../stats/summary.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode } from "./exit-code.ts";
import { defaultThresholds, printMaximum } from "./find-max.ts";
import { addRunOptions, type RunFlags } from "./run-options.ts";
import { readRequest } from "./run-request.ts";
import { RunView } from "./run-view.ts";

export function runCommand(): Subcommand {
  const command = addRunOptions(new Command("run").description("run a load test on this machine, without a cluster"));
  return {
    command,
    run: async () => {
      const flags = command.opts<RunFlags>();
      const { load, destination, thresholds } = await readRequest(command.args, flags);
      const run: LoadRun = {
        load,
        destination,
        options: { generation: 0, pacing: flags.pacing, seed: flags.seed },
        thresholds: flags.findMax && thresholds.length === 0 ? defaultThresholds : thresholds,
        stop: stopSignal(),
        onSnapshots: () => {},
      };
      if (flags.findMax) return await printMaximum(run, flags.output, flags.quiet === true);
      const summary = flags.quiet ? await runLoad(run) : await runInView(run);
      writeOut(flags.output === "json" ? `${JSON.stringify(summary, null, 2)}\n` : formatSummary(summary));
      return exitCodeOf(summary);
    },
  };
}

async function runInView(run: LoadRun): Promise<Summary> {
  const view = new RunView(askedLoad(run), run.load.workers, run.stop);
  view.begin();
  try {
    return await runLoad({ ...run, onSnapshots: (snapshots) => view.take(snapshots) });
  } finally {
    view.end();
  }
}

function askedLoad({ load }: LoadRun): AskedLoad {
  const curve = rateCurve(load);
  if (curve === undefined) return { totalSeconds: (load.durationNs ?? Infinity) / 1e9, dueUntil: undefined };
  return { totalSeconds: curve.endNs / 1e9, dueUntil: (seconds) => curve.countAt(seconds * 1e9) };
}

function exitCodeOf({ passed, completed }: Summary): ExitCode {
  if (completed === 0) return ExitCode.Failed;
  if (passed === null) return ExitCode.Inconclusive;
  return passed ? ExitCode.Passed : ExitCode.ThresholdsFailed;
}
