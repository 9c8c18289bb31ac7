// scripts/bench driver: loadtest's driver against other load generators, suite by suite, as a report in Markdown.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { withTemporaryFolder } from "../../lib/runtime/files.ts";
import { stopSignal } from "../../lib/runtime/signals.ts";
import type { Bench, Section } from "./bench.ts";
import { allowedCores, describeMachine, describeProgram } from "./machine.ts";
import { nginxPath } from "./nginx.ts";
import { findPeer, type InstalledPeer, type Peer } from "./peer.ts";
import { h2load } from "./peers/h2load.ts";
import { hey } from "./peers/hey.ts";
import { k6 } from "./peers/k6.ts";
import { loadtest } from "./peers/loadtest.ts";
import { oha } from "./peers/oha.ts";
import { vegeta } from "./peers/vegeta.ts";
import { wrk, wrk2 } from "./peers/wrk.ts";
import { faults } from "./suites/faults.ts";
import { overhead } from "./suites/overhead.ts";
import { pacing } from "./suites/pacing.ts";
import { saturation } from "./suites/saturation.ts";
import { stall } from "./suites/stall.ts";
import { replaceReport } from "./table.ts";

const suites: Readonly<Record<string, (bench: Bench) => Promise<Section>>> = {
  saturation,
  pacing,
  stall,
  faults,
  overhead,
};
const others: readonly Peer[] = [wrk, hey, h2load, wrk2, vegeta, oha, k6];
const binary = process.env["LOADTEST_BINARY"] || join(import.meta.dir, "../../dist/loadtest");

class UsageError extends Error {}

/** Throws a UsageError for a command line that asks for nothing sensible. */
function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: "string" },
      seconds: { type: "string" },
      peers: { type: "string" },
      write: { type: "string" },
    },
  });
  const suiteNames = positionals.length === 0 ? Object.keys(suites) : positionals;
  const peerNames = values.peers?.split(",") ?? others.map(({ name }) => name);
  for (const name of suiteNames) if (!(name in suites)) throw new UsageError(`Cannot run "${name}": it is no suite`);
  for (const name of peerNames) {
    if (!others.some((peer) => peer.name === name))
      throw new UsageError(`Cannot compare with "${name}": it is no peer`);
  }
  return {
    suiteNames,
    wanted: others.filter(({ name }) => peerNames.includes(name)),
    runs: parseCount("runs", values.runs),
    seconds: parseCount("seconds", values.seconds),
    file: values.write,
  };
}

function isUsageError(error: unknown): boolean {
  const { code = "" } = error as NodeJS.ErrnoException;
  return error instanceof UsageError || code.startsWith("ERR_PARSE_ARGS");
}

function parseCount(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= 600) return value;
  throw new UsageError(`Cannot use --${flag} "${text}": must be an integer from 1 to 600`);
}

function requireCores(): [number, number] {
  const [serverCore, generatorCore] = allowedCores();
  if (serverCore !== undefined && generatorCore !== undefined) return [serverCore, generatorCore];
  throw new Error("Cannot run the benchmark: there is one core, must be one for the server and one for the generator");
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function heading(peers: readonly InstalledPeer[], absent: readonly string[]): Promise<string> {
  const programs = await Promise.all([
    ...peers.map(({ peer, path }) => describeProgram(peer.name, peer.versionCommand(path))),
    describeProgram("nginx", [nginxPath(), "-v"]),
  ]);
  const without = absent.length === 0 ? "" : ` Not installed, so not compared: ${absent.join(", ")}.`;
  const date = new Date().toISOString().slice(0, 10);
  return `Measured on ${date}: ${describeMachine(allowedCores().length)}; ${programs.join(", ")}.${without}\n`;
}

async function run(stop: AbortSignal): Promise<void> {
  const { suiteNames, wanted, runs, seconds, file } = readArguments();
  if (file !== undefined) replaceReport(readFileSync(file, "utf8"), "", "driver"); // better now than after half an hour
  const [serverCore, generatorCore] = requireCores();
  const peers = [{ peer: loadtest, path: binary }, ...wanted.flatMap((peer) => findPeer(peer) ?? [])];
  const absent = wanted.filter((peer) => !peers.some((installed) => installed.peer === peer)).map(({ name }) => name);
  if (absent.length > 0) say(`not installed: ${absent.join(", ")}`);
  await withTemporaryFolder(async (folder) => {
    const bench: Bench = { binary, peers, runs, seconds, folder, serverCore, generatorCore, stop, say };
    let report = await heading(peers, absent);
    process.stdout.write(report);
    for (const name of suiteNames) {
      const { title, markdown } = await (suites[name] as (bench: Bench) => Promise<Section>)(bench);
      const section = `\n#### ${title}\n\n${markdown}`;
      process.stdout.write(section);
      report += section;
    }
    if (file !== undefined) writeFileSync(file, replaceReport(readFileSync(file, "utf8"), report, "driver"));
  });
}

const stop = stopSignal();
try {
  await run(stop);
} catch (error: unknown) {
  say(`error: ${stop.aborted ? `stopped by ${stop.reason}` : (error as Error).message}`);
  process.exitCode = isUsageError(error) ? 2 : 1;
}
