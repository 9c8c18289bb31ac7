// scripts/bench controller: the reconcile loop on a real API server, beside a controller-runtime controller if there is
// one to compare with, as a report in Markdown.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { HttpKubeClient } from "../../lib/kube/http-client.ts";
import { loadConnection } from "../../lib/kube/kubeconfig.ts";
import { stopSignal } from "../../lib/runtime/signals.ts";
import type { Section } from "../driver-bench/bench.ts";
import { allowedCores, describeMachine, describeProgram } from "../driver-bench/machine.ts";
import { replaceReport } from "../driver-bench/table.ts";
import type { ControllerBench } from "./bench.ts";
import { controllerRuntime, ours } from "./contender.ts";
import { burst } from "./suites/burst.ts";
import { idle } from "./suites/idle.ts";
import { latency } from "./suites/latency.ts";

const suites: Readonly<Record<string, (bench: ControllerBench) => Promise<Section>>> = { latency, burst, idle };
const binary = process.env["LOADTEST_BINARY"] || join(import.meta.dir, "../../dist/loadtest");

class UsageError extends Error {}

/** Throws a UsageError for a command line that asks for nothing sensible. */
function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: "string" },
      count: { type: "string" },
      comparator: { type: "string" },
      write: { type: "string" },
    },
  });
  const names = positionals.length === 0 ? Object.keys(suites) : positionals;
  for (const name of names) if (!(name in suites)) throw new UsageError(`Cannot run "${name}": it is no suite`);
  const { comparator } = values;
  if (comparator !== undefined && !existsSync(comparator)) {
    throw new UsageError(`Cannot compare with "${comparator}": there is no such file`);
  }
  const kubeconfig = process.env["KUBECONFIG"];
  if (kubeconfig === undefined) throw new UsageError("Cannot start: KUBECONFIG is missing, must name a kubeconfig");
  return {
    names,
    kubeconfig,
    comparator,
    runs: parseCount("runs", values.runs),
    count: parseCount("count", values.count),
    file: values.write,
  };
}

function parseCount(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= 50_000) return value;
  throw new UsageError(`Cannot use --${flag} "${text}": must be an integer from 1 to 50000`);
}

function isUsageError(error: unknown): boolean {
  const { code = "" } = error as NodeJS.ErrnoException;
  return error instanceof UsageError || code.startsWith("ERR_PARSE_ARGS");
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function run(stop: AbortSignal): Promise<void> {
  const { names, kubeconfig, comparator, runs, count, file } = readArguments();
  if (file !== undefined) replaceReport(readFileSync(file, "utf8"), "", "controller"); // better now than after half an hour
  const client = new HttpKubeClient(await loadConnection({ kubeconfig }));
  const { gitVersion } = JSON.parse(await client.raw("/version")) as { gitVersion: string };
  const others = comparator === undefined ? [] : [controllerRuntime(comparator)];
  const contenders = [ours(binary), ...others];
  const bench: ControllerBench = { client, kubeconfig, binary, contenders, runs, count, stop, say };
  const program = await describeProgram("loadtest", [binary, "version"]);
  const date = new Date().toISOString().slice(0, 10);
  let report = `Measured on ${date}: ${describeMachine(allowedCores().length)}; Kubernetes ${gitVersion}, ${program}.\n`;
  process.stdout.write(report);
  for (const name of names) {
    const { title, markdown } = await (suites[name] as (bench: ControllerBench) => Promise<Section>)(bench);
    const section = `\n#### ${title}\n\n${markdown}`;
    process.stdout.write(section);
    report += section;
  }
  if (file !== undefined) writeFileSync(file, replaceReport(readFileSync(file, "utf8"), report, "controller"));
}

const stop = stopSignal();
try {
  await run(stop);
} catch (error: unknown) {
  say(`error: ${stop.aborted ? `stopped by ${stop.reason}` : (error as Error).message}`);
  process.exitCode = isUsageError(error) ? 2 : 1;
}
process.exit();
