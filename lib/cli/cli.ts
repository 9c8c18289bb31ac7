// The command line: one subcommand a file; this is the one place that turns errors into words and exit codes.
import { Command, CommanderError } from "commander";
import { writeErr, writeOut } from "../runtime/output.ts";
import { ExitCode, UsageError } from "./exit-code.ts";

/** A subcommand, and what it does with its parsed arguments: the exit code is the outcome. */
export interface Subcommand {
  command: Command;
  run: () => Promise<ExitCode>;
}

/** By name, loaded when called: a worker should not pay for what only the controller needs. */
const subcommands: Readonly<Record<string, () => Promise<Subcommand>>> = {
  run: async () => (await import("./run.ts")).runCommand(),
  controller: async () => (await import("./controller.ts")).controllerCommand(),
  validate: async () => (await import("./validate.ts")).validateCommand(),
  worker: async () => (await import("./worker.ts")).workerCommand(),
  target: async () => (await import("./target.ts")).targetCommand(),
  version: async () => (await import("./version.ts")).versionCommand(),
};

/** Runs `loadtest ARGS…` and returns its exit code. Never throws. */
export async function runCli(args: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.Passed;
  const program = new Command("loadtest")
    .description("Load tests for Kubernetes Services: a custom resource, its controller, and the load driver.")
    .configureOutput({ writeOut: (text) => void writeOut(text), writeErr })
    .exitOverride();
  try {
    for (const load of subcommandsFor(args[0])) {
      const { command, run } = await load();
      command.copyInheritedSettings(program).action(async () => {
        exitCode = await run();
      });
      program.addCommand(command);
    }
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error: unknown) {
    return report(error);
  }
}

/** The one that is called, or all, for the help and for what is none of them. */
function subcommandsFor(name = ""): (() => Promise<Subcommand>)[] {
  const called = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  return called === undefined ? Object.values(subcommands) : [called];
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
