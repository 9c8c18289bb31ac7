// The command line: one subcommand a file; this is the one place that turns errors into words and exit codes.
import { Command, CommanderError } from "commander";
import { writeErr, writeOut } from "../runtime/output.ts";
import { controllerCommand } from "./controller.ts";
import { ExitCode, UsageError } from "./exit-code.ts";
import { runCommand } from "./run.ts";
import { targetCommand } from "./target.ts";
import { validateCommand } from "./validate.ts";
import { versionCommand } from "./version.ts";
import { workerCommand } from "./worker.ts";

/** A subcommand, and what it does with its parsed arguments: the exit code is the outcome. */
export interface Subcommand {
  command: Command;
  run: (command: Command) => Promise<ExitCode>;
}

const subcommands: readonly (() => Subcommand)[] = [
  runCommand,
  controllerCommand,
  validateCommand,
  workerCommand,
  targetCommand,
  versionCommand,
];

/** Runs `loadtest ARGS…` and returns its exit code. Never throws. */
export async function runCli(args: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.Passed;
  const program = new Command("loadtest")
    .description("Load tests for Kubernetes Services: a custom resource, its controller, and the load driver.")
    .configureOutput({ writeOut, writeErr })
    .exitOverride();
  for (const make of subcommands) {
    const { command, run } = make();
    command.copyInheritedSettings(program).action(async () => {
      exitCode = await run(command);
    });
    program.addCommand(command);
  }
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error: unknown) {
    return report(error);
  }
}

function report(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.Passed : ExitCode.Usage; // already printed
  writeErr(`error: ${messageOf(error)}\n`);
  return error instanceof UsageError ? ExitCode.Usage : ExitCode.Failed;
}

/** The error's message with those of its causes, which say why. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}
