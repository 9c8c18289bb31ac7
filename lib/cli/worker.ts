// `loadtest worker`: the load driver, as worker Pods run it.
import { Command } from "commander";
import { runWorker } from "../driver/worker.ts";
import { writeOut } from "../runtime/output.ts";
import { stopSignal } from "../runtime/signals.ts";
import type { Subcommand } from "./cli.ts";
import { ExitCode } from "./exit-code.ts";

export function workerCommand(): Subcommand {
  const command = new Command("worker")
    .description("run the load driver: a plan file in, snapshots on stdout (worker Pods run this)")
    .option("--plan <file>", "the worker's plan", "/etc/loadtest/plan.json")
    .option("--result <file>", "where the result is written", "/dev/termination-log")
    .option("--checkpoint <file>", "from where to go on after a restart of the container");
  return {
    command,
    run: async () => {
      const { plan, result, checkpoint } = command.opts<{ plan: string; result: string; checkpoint?: string }>();
      const abandoned = new AbortController();
      const write = (text: string) => {
        if (!writeOut(text)) abandoned.abort(); // whoever wanted the load is gone
      };
      const stop = AbortSignal.any([stopSignal(), abandoned.signal]);
      await runWorker({ planFile: plan, resultFile: result, checkpointFile: checkpoint, stop, write });
      return ExitCode.Passed;
    },
  };
}
