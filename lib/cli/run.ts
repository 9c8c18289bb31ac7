// `loadtest run`: a LoadTest on this machine, without a cluster.
import { Command, Option } from "commander";
import { runLocally } from "../local/process-runtime.ts";
import { compileWorkerPlans, type Load } from "../plan/compile.ts";
import { formatProgress } from "../report/progress.ts";
import { formatSummary } from "../report/text.ts";
import { isTerminal, writeErr, writeOut } from "../runtime/output.ts";
import { stopSignal } from "../runtime/signals.ts";
import type { SnapshotLine } from "../stats/line.ts";
import { type Summary, summarize } from "../stats/summary.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode } from "./exit-code.ts";
import { integerOption } from "./integer-option.ts";
import { outputOption } from "./output-option.ts";
import { parseDurationFlag, parseEndpointFlag, type RunFlags, readRequest } from "./run-request.ts";

export function runCommand(): Subcommand {
  const command = new Command("run")
    .description("run a load test on this machine, without a cluster")
    .argument("[url...]", "what to request; several URLs share scheme, host and port, and are requested in turn")
    .option("-f, --filename <file>", "a LoadTest to run instead of URLs; - is stdin")
    .addOption(integerOption("--rate <n>", "requests per second (default: 100, or the LoadTest's)", 1, 1_000_000))
    .addOption(
      new Option("--duration <duration>", "how long, such as 90s (default: 10s, or the LoadTest's)").argParser(
        parseDurationFlag("1s", "168h"),
      ),
    )
    .addOption(integerOption("--connections <n>", "open connections of each worker (default: 64)", 1, 4096))
    .addOption(integerOption("--workers <n>", "worker processes (default: 1)", 1, 64))
    .option("--paths <path...>", "paths to request in turn, at the URL's host")
    .addOption(
      new Option("--target <host:port>", "where to connect, whatever the URL says").argParser(parseEndpointFlag),
    )
    .option("--ca-file <file>", "PEM certificates to trust beside the public ones")
    .option("--insecure", "accept any certificate", false)
    .addOption(
      new Option("--timeout <duration>", "of a request (default: 10s)").argParser(parseDurationFlag("1ms", "10m")),
    )
    .addOption(
      new Option("--pacing <mode>", "who owns the core: balanced is on time to microseconds, relaxed saves CPU")
        .choices(["balanced", "relaxed"])
        .default("balanced"),
    )
    .option("-q, --quiet", "no progress on stderr", false)
    .addOption(outputOption());
  return {
    command,
    run: async () => {
      const flags = command.opts<RunFlags>();
      const { load, destination } = await readRequest(command.args, flags);
      const stop = stopSignal();
      const plans = compileWorkerPlans(load, destination, { generation: 0, pacing: flags.pacing });
      const progress = new ProgressLine(load, flags.quiet);
      const workers = await runLocally({ plans, stop, onSnapshots: (snapshots) => progress.draw(snapshots) });
      progress.end();
      if (workers.length === 0) throw new Error("Cannot summarize the run: it was stopped before it began");
      const summary = summarize({
        paths: load.paths,
        askedPerSecond: load.requestsPerSecond,
        workers,
      });
      writeOut(flags.output === "json" ? `${JSON.stringify(summary, null, 2)}\n` : formatSummary(summary));
      return exitCodeOf(summary);
    },
  };
}

function exitCodeOf({ passed, completed }: Summary): ExitCode {
  if (completed === 0) return ExitCode.Failed;
  return passed === null ? ExitCode.Inconclusive : ExitCode.Passed;
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
