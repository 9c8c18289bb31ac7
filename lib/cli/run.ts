// `loadtest run`: a LoadTest on this machine, without a cluster.
import { Command } from "commander";
import { type LoadRun, runLoad } from "../local/run-load.ts";
import type { Load } from "../plan/compile.ts";
import { formatProgress } from "../report/progress.ts";
import { formatSummary } from "../report/text.ts";
import { isTerminal, writeErr, writeOut } from "../runtime/output.ts";
import { stopSignal } from "../runtime/signals.ts";
import type { SnapshotLine } from "../stats/line.ts";
import type { Summary } from "../stats/summary.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode } from "./exit-code.ts";
import { defaultThresholds, printMaximum } from "./find-max.ts";
import { addRunOptions, type RunFlags } from "./run-options.ts";
import { readRequest } from "./run-request.ts";

export function runCommand(): Subcommand {
  const command = addRunOptions(new Command("run").description("run a load test on this machine, without a cluster"));
  return {
    command,
    run: async () => {
      const flags = command.opts<RunFlags>();
      const { load, destination } = await readRequest(command.args, flags);
      const progress = new ProgressLine(load, flags.quiet || flags.findMax);
      const run: LoadRun = {
        load,
        destination,
        options: { generation: 0, pacing: flags.pacing, seed: flags.seed },
        thresholds: flags.threshold ?? (flags.findMax ? defaultThresholds : []),
        stop: stopSignal(),
        onSnapshots: (snapshots) => progress.draw(snapshots),
      };
      if (flags.findMax) return await printMaximum(run, flags.output, flags.quiet);
      const summary = await runLoad(run);
      progress.end();
      writeOut(flags.output === "json" ? `${JSON.stringify(summary, null, 2)}\n` : formatSummary(summary));
      return exitCodeOf(summary);
    },
  };
}

function exitCodeOf({ passed, completed }: Summary): ExitCode {
  if (completed === 0) return ExitCode.Failed;
  if (passed === null) return ExitCode.Inconclusive;
  return passed ? ExitCode.Passed : ExitCode.ThresholdsFailed;
}

/** One line on stderr, redrawn on a terminal and repeated elsewhere. */
class ProgressLine {
  readonly #load: Load;
  readonly #isQuiet: boolean;
  #isDrawn = false;

  constructor(load: Load, isQuiet: boolean) {
    this.#load = load;
    this.#isQuiet = isQuiet;
  }

  draw(snapshots: readonly SnapshotLine[]): void {
    if (this.#isQuiet || snapshots.length < this.#load.workers) return;
    const { requestsPerSecond, durationNs } = this.#load;
    const line = formatProgress(snapshots, requestsPerSecond, durationNs === undefined ? undefined : durationNs / 1e9);
    writeErr(isTerminal() ? `\r\u001b[K${line}` : `${line}\n`);
    this.#isDrawn = true;
  }

  end(): void {
    if (this.#isDrawn && isTerminal()) writeErr("\r\u001b[K");
  }
}
