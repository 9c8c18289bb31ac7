// A load generator as the benchmark sees it: a command line for a load, and what it says in the end.
// Adapters know nothing of this machine; where a generator is installed is found here.
import type { JitterUs } from "../../lib/stats/arrivals.ts";
import { quantile } from "./statistics.ts";

export interface Load {
  url: string;
  /** undefined: each connection asks again as soon as it is answered. */
  ratePerSecond?: number;
  seconds: number;
  connections: number;
  /** Of a request; whole seconds, as not all generators know fractions. */
  timeoutSeconds: number;
  /** Whether latency is read afterwards; generators that must write down every request for it do so only then. */
  wantsLatency: boolean;
}

export interface LatencyUs {
  mean: number;
  p90: number;
  p95: number;
  p99: number;
  p999: number;
}

export const latencyNames = ["mean", "p90", "p95", "p99", "p999"] as const;

/** What a generator says of its run. */
export interface Reading {
  /** Answered in full, whatever their status where it does not tell them apart. */
  requests: number;
  perSecond: number;
  latencyUs?: LatencyUs;
  /** What went wrong, in its own words, with how often. */
  problems: Record<string, number>;
  /** Only loadtest tells these. */
  serviceTimeUs?: LatencyUs;
  slipUs?: LatencyUs;
  isValid?: boolean;
  /** Only the metronome tells this. */
  sentJitterUs?: JitterUs | null;
}

export interface Printed {
  stdout: string;
  /** The text of a file that the run has written into its folder. */
  file: (name: string) => string;
}

export interface Peer {
  readonly name: string;
  /** The executable's name on PATH. */
  readonly program: string;
  /** Prints its version somewhere. */
  versionCommand(path: string): string[];
  /** What it can be asked for. */
  readonly canSaturate: boolean;
  readonly canPace: boolean;
  /** At the beginning of a run, kept out of its latency by itself. */
  readonly warmUpSeconds: number;
  /** Files that the run needs in its folder, name → text. */
  files?(load: Load): Record<string, string>;
  /** Arguments after the program; paths into `folder`. */
  args(load: Load, folder: string): string[];
  /** Arguments of a second, unmeasured call of the program, whose stdout is read in place of the first one's. */
  argsAfterwards?(load: Load, folder: string): string[];
  /** Throws a SyntaxError, or reads NaN, when the output is not what it should be. */
  read(printed: Printed, load: Load): Reading;
}

export interface InstalledPeer {
  peer: Peer;
  path: string;
}

/** Where a peer is: named by BENCH_<NAME>, else on PATH; undefined when absent. */
export function findPeer(peer: Peer): InstalledPeer | undefined {
  const path = process.env[`BENCH_${peer.name.toUpperCase()}`] || Bun.which(peer.program);
  return path ? { peer, path } : undefined;
}

/** Latency of samples in any order, which are sorted in place. */
export function latencyOf(samplesUs: Float64Array): LatencyUs {
  samplesUs.sort();
  return {
    mean: samplesUs.reduce((sum, sample) => sum + sample, 0) / samplesUs.length,
    p90: quantile(samplesUs, 0.9),
    p95: quantile(samplesUs, 0.95),
    p99: quantile(samplesUs, 0.99),
    p999: quantile(samplesUs, 0.999),
  };
}

/** One column of numbers out of lines of separated values; lines whose column holds no number are passed over. */
export function columnOf(text: string, separator: string, column: number): Float64Array {
  const values = text.split("\n").map((line) => Number.parseFloat(line.split(separator)[column] ?? ""));
  return Float64Array.from(values.filter(Number.isFinite));
}

/** The counts that are not 0. */
export function occurred(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}
