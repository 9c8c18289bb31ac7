// How the generator itself did: what is needed to tell whether the figures speak of the target or of the generator.
import type { Account } from "./account.ts";
import { Histogram } from "./histogram.ts";

export interface GeneratorReport {
  /** The part of each slip that no missing connection explains: the generator was late. */
  slip: Histogram;
  /** The rest of each slip: every connection was taken. */
  connectionWait: Histogram;
  counters: GeneratorCounters;
}

export interface GeneratorCounters {
  /** From the start to the end of the run, and the CPU time used in it. */
  elapsedNs: number;
  cpuNs: number;
  /** In which requests waited for a connection while the process used its core whole. */
  saturatedNs: number;
  /** In which a CPU limit (cgroup) kept the process from running. */
  throttledNs: number;
  /** In which the event loop did not turn, in pauses of 50 ms and more: busy with itself, or not given the CPU. */
  busyPauseNs: number;
  idlePauseNs: number;
  /** Requests given up, unsent, although a connection was free. */
  neglected: number;
  /** Connections that failed for want of file descriptors, or of local ports. */
  outOfFiles: number;
  outOfPorts: number;
}

export function emptyCounters(): GeneratorCounters {
  return {
    elapsedNs: 0,
    cpuNs: 0,
    saturatedNs: 0,
    throttledNs: 0,
    busyPauseNs: 0,
    idlePauseNs: 0,
    neglected: 0,
    outOfFiles: 0,
    outOfPorts: 0,
  };
}

export function emptyGeneratorReport(): GeneratorReport {
  return { slip: new Histogram(), connectionWait: new Histogram(), counters: emptyCounters() };
}

/** What a generator's faults are told by. */
export interface GeneratorFigures {
  /** The 99th percentile. */
  slipNs: number;
  counters: GeneratorCounters;
}

export function generatorFigures({ slip, counters }: GeneratorReport): GeneratorFigures {
  return { slipNs: slip.quantileNs(0.99), counters };
}

/** In which it could not have done more: a CPU limit stopped it, or its core was full while requests waited. */
export function strainedNs({ counters }: GeneratorReport): number {
  return counters.throttledNs + counters.saturatedNs;
}

/** The generator may be late by this much at the 99th percentile, or by a tenth of the latency there. */
const slipLimitNs = 1e6;
const slipShareOfLatency = 0.1;
/** Of the run: throttled, standing still, or with a full core, for longer than this taints the figures. */
const throttledShare = 0.01;
const pausedShare = 0.01;
export const saturatedShare = 0.1;
/** Of the scheduled requests. */
const neglectedShare = 0.001;

/** Why the figures of a run cannot be trusted, a sentence each; empty when they can. `latencyNs`: its 99th percentile, 0 without one. */
export function generatorFaults(
  workers: readonly GeneratorFigures[],
  { scheduled, lost }: Pick<Account, "scheduled" | "lost">,
  latencyNs: number,
): string[] {
  return [...lateness(workers, latencyNs), ...shortages(workers, scheduled, lost)];
}

/** Whether the fate of so many requests is unknown that the figures prove nothing. */
export function isMuchLost({ scheduled, lost }: Pick<Account, "scheduled" | "lost">): boolean {
  return lost > scheduled * neglectedShare;
}

function lateness(workers: readonly GeneratorFigures[], latencyNs: number): string[] {
  const slipNs = Math.max(...workers.map((worker) => worker.slipNs));
  if (slipNs <= slipLimitNs || slipNs <= latencyNs * slipShareOfLatency) return [];
  const lateBy = `the generator sent late by itself: ${ms(slipNs)} at the 99th percentile`;
  return [latencyNs === 0 ? `${lateBy}, and nothing was answered` : `${lateBy}, where the latency is ${ms(latencyNs)}`];
}

function shortages(workers: readonly GeneratorFigures[], scheduled: number, lost: number): string[] {
  const sum = (name: keyof GeneratorCounters) => workers.reduce((total, { counters }) => total + counters[name], 0);
  const worstShare = (name: "saturatedNs" | "throttledNs" | "busyPauseNs" | "idlePauseNs") =>
    Math.max(...workers.map(({ counters }) => counters[name] / Math.max(1, counters.elapsedNs)));
  const reasons: string[] = [];
  if (worstShare("saturatedNs") > saturatedShare) {
    const share = percent(worstShare("saturatedNs"));
    reasons.push(
      `the generator's core was full for ${share} of the run while requests waited: more workers are needed`,
    );
  }
  if (worstShare("throttledNs") > throttledShare) {
    reasons.push(`a CPU limit stopped the generator for ${percent(Math.min(1, worstShare("throttledNs")))} of the run`);
  }
  if (worstShare("busyPauseNs") > pausedShare) {
    const share = percent(worstShare("busyPauseNs"));
    reasons.push(
      `the generator was busy with itself for ${share} of the run, as in garbage collection, and stood still`,
    );
  }
  if (worstShare("idlePauseNs") > pausedShare) {
    reasons.push(`the machine gave the generator no CPU for ${percent(worstShare("idlePauseNs"))} of the run`);
  }
  if (isMuchLost({ scheduled, lost })) {
    reasons.push(`a worker began late, or anew: it does not know of ${lost} requests that were due before`);
  }
  if (sum("neglected") > scheduled * neglectedShare) {
    reasons.push(
      `the generator did not reach the rate: ${sum("neglected")} requests unsent though connections were free`,
    );
  }
  if (sum("outOfFiles") > 0) {
    reasons.push(`the generator ran out of file descriptors: ${sum("outOfFiles")} connections could not be opened`);
  }
  if (sum("outOfPorts") > 0) {
    reasons.push(`the generator ran out of local ports: ${sum("outOfPorts")} connections could not be opened`);
  }
  return reasons;
}

function ms(ns: number): string {
  return `${(ns / 1e6).toFixed(2)} ms`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
