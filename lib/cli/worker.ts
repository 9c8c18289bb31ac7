// `loadtest worker`: the load driver, as worker Pods run it.
import { Command } from "commander";
import { runWorker } from "../driver/worker.ts";
import { writeOut } from "../runtime/output.ts";
import { stopSignal } from "../runtime/signals.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode } from "./exit-code.ts";
import { integerOption } from "./integer-option.ts";

interface WorkerFlags {
  plan: string;
  result: string;
  checkpoint?: string;
  metricsPort?: number;
}

export function workerCommand(): Subcommand {
  const command = new Command("worker")
    .description("run the load driver: a plan file in, snapshots on stdout (worker Pods run this)")
    .option("--plan <file>", "the worker's plan", "/etc/loadtest/plan.json")
    .option("--result <file>", "where the result is written", "/dev/termination-log")
    .option("--checkpoint <file>", "from where to go on after a restart of the container")
    .addOption(integerOption("--metrics-port <port>", "port of /metrics, for Prometheus", 1, 65_535));
  return {
    command,
    run: async () => {
      const { plan, result, checkpoint, metricsPort } = command.opts<WorkerFlags>();
      const abandoned = new AbortController();
      const write = (text: string) => {
        if (!writeOut(text)) abandoned.abort(); // whoever wanted the load is gone
      };
      const stop = AbortSignal.any([stopSignal(), abandoned.signal]);
      const options = { planFile: plan, resultFile: result, checkpointFile: checkpoint, metricsPort, stop, write };
      return (await runWorker(options)) === "ended" ? ExitCode.Passed : ExitCode.Interrupted;
    },
  };
}
