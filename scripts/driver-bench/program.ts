// What the programs of scripts/bench have in common: how they read their command line, report suite by suite, and end.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { stopSignal } from "../../lib/runtime/signals.ts";
import type { Section } from "./bench.ts";
import { allowedCores, describeMachine } from "./machine.ts";
import { replaceReport } from "./table.ts";

/** The loadtest executable. */
export const binary = process.env["LOADTEST_BINARY"] || join(import.meta.dir, "../../dist/loadtest");

export type Suites<Bench> = Readonly<Record<string, (bench: Bench) => Promise<Section>>>;

/** The command line asks for nothing sensible. */
export class UsageError extends Error {}

/** The names, all suites without one, and the values of the flags. Throws a UsageError for a name that is no suite. */
export function readArguments<Flag extends string>(suites: object, ...flags: Flag[]) {
  const options = Object.fromEntries(flags.map((flag) => [flag, { type: "string" }])) as Record<
    Flag,
    { type: "string" }
  >;
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  const names = positionals.length === 0 ? Object.keys(suites) : positionals;
  for (const name of names) if (!(name in suites)) throw new UsageError(`Cannot run "${name}": it is no suite`);
  return { names, flags: values as Partial<Record<Flag, string>> };
}

/** Throws a UsageError for what is no integer from 1 to `most`. */
export function parseCount(flag: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= most) return value;
  throw new UsageError(`Cannot use --${flag} "${text}": must be an integer from 1 to ${most}`);
}

/** Progress, for people. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** What a benchmark finds: on stdout as it comes, and in the end between its markers in the file, if there is one. */
export class Report {
  readonly #name: "driver" | "controller";
  readonly #file: string | undefined;
  #text = "";

  /** Throws when the file has no place for it: better now than after half an hour. */
  constructor(name: "driver" | "controller", file: string | undefined) {
    this.#name = name;
    this.#file = file;
    if (file !== undefined) replaceReport(readFileSync(file, "utf8"), "", name);
  }

  /** `measured` is what the figures are of: programs and their versions. */
  async write<Bench>(measured: string, suites: Suites<Bench>, names: readonly string[], bench: Bench): Promise<void> {
    const date = new Date().toISOString().slice(0, 10);
    this.#add(`Measured on ${date}: ${describeMachine(allowedCores().length)}; ${measured}\n`);
    for (const name of names) {
      const { title, markdown } = await (suites[name] as Suites<Bench>[string])(bench);
      this.#add(`\n#### ${title}\n\n${markdown}`);
    }
    const file = this.#file;
    if (file !== undefined) writeFileSync(file, replaceReport(readFileSync(file, "utf8"), this.#text, this.#name));
  }

  #add(text: string): void {
    process.stdout.write(text);
    this.#text += text;
  }
}

/** Runs a benchmark to its end or until a signal; says what went wrong, and sets the exit code: 2 for a UsageError. */
export async function runProgram(run: (stop: AbortSignal) => Promise<void>): Promise<void> {
  const stop = stopSignal();
  try {
    await run(stop);
  } catch (error: unknown) {
    say(`error: ${stop.aborted ? `stopped by ${stop.reason}` : (error as Error).message}`);
    const { code = "" } = error as NodeJS.ErrnoException;
    process.exitCode = error instanceof UsageError || code.startsWith("ERR_PARSE_ARGS") ? 2 : 1;
  }
}
