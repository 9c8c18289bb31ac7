// --contexts, --timeout and -f: the same on every subcommand that works on several clusters.
import { dirname, isAbsolute, join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { FleetOptions } from "../fleet/clusters.ts";
import { type Fleet, parseFleetFile } from "../fleet/fleet-file.ts";
import { formatFieldError } from "../loadtest/field-error.ts";
import { readTextFile } from "../runtime/files.ts";
import { UsageError } from "./exit-code.ts";

export interface FleetFlags {
  kubeconfig?: string;
  contexts?: string[];
  /** ns */
  timeout: number;
}

/** @param without What is meant without it, in words. */
export function contextsOption(without: string): Option {
  const words = `contexts of the kubeconfig, separated by commas (default: ${without})`;
  return new Option("--contexts <names>", words).argParser(parseContexts);
}

/** @param contexts What the default of `--contexts` is. */
export function addFleetFlags(command: Command, contexts: string, timeout: Option): Command {
  return command
    .addOption(contextsOption(contexts))
    .option("--kubeconfig <file>", "the kubeconfig (default: $KUBECONFIG, ~/.kube/config, or the Pod's own cluster)")
    .addOption(timeout);
}

export function fleetOptions(
  { kubeconfig, timeout }: FleetFlags,
  contexts: readonly string[],
  stop: AbortSignal,
): FleetOptions {
  return { ...(kubeconfig === undefined ? {} : { kubeconfig }), contexts, deadlineMs: timeout / 1e6, stop };
}

/** For commander; given several times, all count. */
function parseContexts(text: string, former: string[] = []): string[] {
  const names = [...former, ...text.split(",").map((name) => name.trim())];
  if (names.includes("")) throw new InvalidArgumentError("It must be names separated by commas, such as west,east.");
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new InvalidArgumentError(`Each must be there once, but ${twice} is there again.`);
  return names;
}

/** Rejects with a UsageError that names all that is wrong with the file, - being stdin. */
export async function readFleetFile(file: string): Promise<Fleet> {
  const folder = file === "-" ? "." : dirname(file);
  const read = (path: string) => readNamedFile(isAbsolute(path) ? path : join(folder, path));
  const parsed = await parseFleetFile(await readNamedFile(file), read);
  if ("fleet" in parsed) return parsed.fleet;
  const lines = parsed.errors.map((error) => `\n  ${formatFieldError(error)}`).join("");
  throw new UsageError(`Cannot use "${file}": it is no well-formed fleet file${lines}`);
}

/** A file that is named and cannot be read is the caller's fault. */
async function readNamedFile(file: string): Promise<string> {
  try {
    return await readTextFile(file);
  } catch (error: unknown) {
    throw new UsageError((error as Error).message);
  }
}

/** Those of the flag, which must be in the file; else all of the file. */
export function contextsOf({ contexts }: FleetFlags, { clusters }: Fleet): string[] {
  const known = [...clusters.keys()];
  const unknown = contexts?.find((context) => !clusters.has(context));
  if (unknown === undefined) return contexts ?? known;
  const list = known.map((name) => `"${name}"`).join(", ");
  throw new UsageError(`Cannot use context "${unknown}": must be one of the clusters of the file, ${list}`);
}
