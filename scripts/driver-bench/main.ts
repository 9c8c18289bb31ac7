// scripts/bench driver: loadtest's driver against other load generators, suite by suite, as a report in Markdown.
import { withTemporaryFolder } from "../../lib/runtime/files.ts";
import type { Bench } from "./bench.ts";
import { allowedCores, describeProgram } from "./machine.ts";
import { nginxPath } from "./nginx.ts";
import { findPeer, type InstalledPeer, type Peer } from "./peer.ts";
import { h2load } from "./peers/h2load.ts";
import { hey } from "./peers/hey.ts";
import { k6 } from "./peers/k6.ts";
import { loadtest } from "./peers/loadtest.ts";
import { oha } from "./peers/oha.ts";
import { vegeta } from "./peers/vegeta.ts";
import { wrk, wrk2 } from "./peers/wrk.ts";
import { binary, parseCount, Report, readArguments, runProgram, type Suites, say, UsageError } from "./program.ts";
import { faults } from "./suites/faults.ts";
import { overhead } from "./suites/overhead.ts";
import { pacing } from "./suites/pacing.ts";
import { saturation } from "./suites/saturation.ts";
import { stall } from "./suites/stall.ts";

const suites: Suites<Bench> = { saturation, pacing, stall, faults, overhead };
const others: readonly Peer[] = [wrk, hey, h2load, wrk2, vegeta, oha, k6];

/** Throws a UsageError for a name that is no peer. */
function peersNamed(list: string | undefined): readonly Peer[] {
  const names = list?.split(",") ?? others.map(({ name }) => name);
  for (const name of names) {
    if (!others.some((peer) => peer.name === name))
      throw new UsageError(`Cannot compare with "${name}": it is no peer`);
  }
  return others.filter(({ name }) => names.includes(name));
}

function requireCores(): [number, number] {
  const [serverCore, generatorCore] = allowedCores();
  if (serverCore !== undefined && generatorCore !== undefined) return [serverCore, generatorCore];
  throw new Error("Cannot run the benchmark: there is one core, must be one for the server and one for the generator");
}

async function describePrograms(peers: readonly InstalledPeer[], absent: readonly string[]): Promise<string> {
  const programs = await Promise.all([
    ...peers.map(({ peer, path }) => describeProgram(peer.name, peer.versionCommand(path))),
    describeProgram("nginx", [nginxPath(), "-v"]),
  ]);
  const without = absent.length === 0 ? "" : ` Not installed, so not compared: ${absent.join(", ")}.`;
  return `${programs.join(", ")}.${without}`;
}

await runProgram(async (stop) => {
  const { names, flags } = readArguments(suites, "runs", "seconds", "peers", "write");
  const wanted = peersNamed(flags.peers);
  const runs = parseCount("runs", flags.runs, 600);
  const seconds = parseCount("seconds", flags.seconds, 600);
  const report = new Report("driver", flags.write);
  const [serverCore, generatorCore] = requireCores();
  const peers = [{ peer: loadtest, path: binary }, ...wanted.flatMap((peer) => findPeer(peer) ?? [])];
  const absent = wanted.filter((peer) => !peers.some((installed) => installed.peer === peer)).map(({ name }) => name);
  if (absent.length > 0) say(`not installed: ${absent.join(", ")}`);
  await withTemporaryFolder(async (folder) => {
    const bench = { binary, peers, runs, seconds, folder, serverCore, generatorCore, stop, say };
    await report.write(await describePrograms(peers, absent), suites, names, bench);
  });
});
