// A generator's run with what it cost: CPU time of all its processes, and the memory of the largest of them.
// GNU time waits for the generator, and the kernel adds to a process what its own children used once it has waited for
// them; loadtest waits for its worker. GNU time also stands between for the memory's sake: the kernel counts the memory
// that a process had before it executed another program, which of a child of this one would be tens of megabytes.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { type Child, childrenOf, dieWithParent, endChild, startOnCore } from "./child.ts";
import type { InstalledPeer, Load, Peer, Reading } from "./peer.ts";

export interface Cost {
  cpuSeconds: number;
  elapsedSeconds: number;
  peakRssBytes: number;
}

export interface Outcome extends Cost {
  stdout: string;
  stderr: string;
  exitCode: number;
}

/** A run may take this much longer than its load. */
const slackSeconds = 60;

/** A generator under way. */
export interface Run {
  /** The process that sends: the generator's own child where it has one. */
  senderPid: () => number;
  /** Aborted when it is over. */
  ended: AbortSignal;
  outcome: Promise<Outcome>;
}

/** Runs `use` while the command runs on the generator's core; the command is gone afterwards. */
export async function withRun<T>(
  bench: Bench,
  command: readonly string[],
  seconds: number,
  use: (run: Run) => Promise<T>,
): Promise<T> {
  const costFile = join(bench.folder, "cost");
  const time = ["time", "--quiet", "--output", costFile, "--format", "%U %S %e %M", ...dieWithParent];
  const limitSeconds = seconds + slackSeconds;
  const child = startOnCore([...time, ...command], { ...bench, core: bench.generatorCore, limitSeconds });
  const over = new AbortController();
  try {
    const outcome = outcomeOf(child, costFile).finally(() => over.abort());
    return await use({ senderPid: () => lastDescendant(child.pid), ended: over.signal, outcome });
  } finally {
    await endChild(child);
    over.abort();
  }
}

/** Runs the command to its end. */
export async function measure(bench: Bench, command: readonly string[], seconds: number): Promise<Outcome> {
  return await withRun(bench, command, seconds, ({ outcome }) => outcome);
}

export interface PeerRun extends Cost {
  reading: Reading;
}

/** Runs a peer under a load to its end, and reads what it says; `meanwhile` may disturb it. */
export async function measurePeer(
  bench: Bench,
  { peer, path }: InstalledPeer,
  load: Load,
  meanwhile?: (run: Run) => Promise<void>,
): Promise<PeerRun> {
  const folder = join(bench.folder, "run");
  mkdirSync(folder);
  try {
    for (const [name, text] of Object.entries(peer.files?.(load) ?? {})) writeFileSync(join(folder, name), text);
    const outcome = await withRun(bench, [path, ...peer.args(load, folder)], load.seconds, async (run) => {
      const [ended] = await Promise.all([run.outcome, meanwhile?.(run)]);
      return ended;
    });
    const afterwards = peer.argsAfterwards?.(load, folder);
    const stdout = afterwards === undefined ? outcome.stdout : (await measure(bench, [path, ...afterwards], 0)).stdout;
    return { ...outcome, reading: readingOf(peer.name, { ...outcome, stdout }, load, folder, peer.read) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readingOf(
  name: string,
  { stdout, stderr, exitCode }: Outcome,
  load: Load,
  folder: string,
  read: Peer["read"],
): Reading {
  const file = (fileName: string) => readFileSync(join(folder, fileName), "utf8");
  try {
    const reading = read({ stdout, file }, load);
    if (Number.isFinite(reading.requests) && Number.isFinite(reading.perSecond)) return reading;
    throw new SyntaxError("no count of requests, or no rate");
  } catch (cause: unknown) {
    if (!(cause instanceof SyntaxError)) throw cause;
    const words = stderr.trim().slice(-500) || stdout.trim().slice(-500) || "nothing";
    throw new Error(`Cannot read the output of ${name}: it ended with ${exitCode} and said ${words}`, { cause });
  }
}

async function outcomeOf(child: Child, costFile: string): Promise<Outcome> {
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (child.signalCode !== null) {
    throw new Error(`Cannot finish the run: it was ended by ${child.signalCode}, must end within its limit`);
  }
  const [user, system, elapsed, rssKib] = readFileSync(costFile, "utf8").trim().split(" ").map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const cost = { cpuSeconds: user + system, elapsedSeconds: elapsed, peakRssBytes: rssKib * 1024 };
  return { stdout, stderr, exitCode, ...cost };
}

function lastDescendant(pid: number): number {
  const child = childrenOf(pid)[0];
  return child === undefined ? pid : lastDescendant(child);
}
