// The command line: one subcommand a file; this is the one place that turns errors into words and exit codes.
import { Command, CommanderError } from "commander";
import { messageOf } from "../runtime/error-message.ts";
import { writeErr, writeOut } from "../runtime/output.ts";
import { calledAs } from "../runtime/process.ts";
import { ExitCode, UsageError } from "./exit-code.ts";
import { asTyped, invocationOf } from "./invocation.ts";

/** A subcommand, and what it does with its parsed arguments: the exit code is the outcome. */
export interface Subcommand {
  command: Command;
  run: () => Promise<ExitCode>;
}

/** A subcommand that does nothing but hold others. */
export interface SubcommandGroup {
  command: Command;
  subcommands: readonly Subcommand[];
}

/** By name, loaded when called: a worker should not pay for what only the controller needs. */
const subcommands: Readonly<Record<string, () => Promise<Subcommand | SubcommandGroup>>> = {
  run: async () => (await import("./run.ts")).runCommand(),
  controller: async () => (await import("./controller.ts")).controllerCommand(),
  webhook: async () => (await import("./webhook.ts")).webhookCommand(),
  cert: async () => (await import("./cert.ts")).certCommand(),
  validate: async () => (await import("./validate.ts")).validateCommand(),
  status: async () => (await import("./status.ts")).statusCommand(),
  install: async () => (await import("./install.ts")).installCommand(),
  uninstall: async () => (await import("./uninstall.ts")).uninstallCommand(),
  diff: async () => (await import("./diff.ts")).diffCommand(),
  sync: async () => (await import("./sync.ts")).syncCommand(),
  worker: async () => (await import("./worker.ts")).workerCommand(),
  target: async () => (await import("./target.ts")).targetCommand(),
  doctor: async () => (await import("./doctor.ts")).doctorCommand(),
  completion: async () => (await import("./completion.ts")).completionCommand(),
  version: async () => (await import("./version.ts")).versionCommand(),
};

/** Runs `loadtest ARGS…` and returns its exit code. Never throws. */
export async function runCli(args: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.Passed;
  const invocation = invocationOf(calledAs(), args);
  const { programName, words } = invocation;
  const program = new Command(programName)
    .description("Load tests for Kubernetes Services: a custom resource, its controller, and the load driver.")
    .configureOutput({ writeOut: (text) => void writeOut(asTyped(text, invocation)), writeErr })
    .exitOverride();
  const add = (parent: Command, entry: Subcommand | SubcommandGroup) => {
    const { command } = entry;
    parent.addCommand(command.copyInheritedSettings(parent));
    if ("subcommands" in entry) {
      for (const each of entry.subcommands) add(command, each);
      return;
    }
    command.action(async () => {
      exitCode = await entry.run();
    });
  };
  try {
    if (words !== undefined && words.length < 2) addNames(program);
    else for (const load of subcommandsFor((words ?? args)[0])) add(program, await load());
    if (words === undefined) await program.parseAsync(args, { from: "user" });
    else await printCandidates(program, words);
    return exitCode;
  } catch (error: unknown) {
    return report(error);
  }
}

/** To complete a subcommand's name, nothing of it need be loaded, which takes longer than people wait for a key. */
function addNames(program: Command): void {
  for (const name of Object.keys(subcommands)) program.command(name);
}

async function printCandidates(program: Command, words: readonly string[]): Promise<void> {
  const { complete, formatCompletion } = await import("./candidates.ts");
  const { knownNames } = await import("./known-names.ts");
  writeOut(formatCompletion(await complete(program, words, knownNames)));
}

/** The one that is called, or all, for the help and for what is none of them. */
function subcommandsFor(name = ""): (() => Promise<Subcommand | SubcommandGroup>)[] {
  const called = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  return called === undefined ? Object.values(subcommands) : [called];
}

function report(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.Passed : ExitCode.Usage; // already printed
  writeErr(`error: ${messageOf(error)}\n`);
  return error instanceof UsageError ? ExitCode.Usage : ExitCode.Failed;
}
