// What a load does while it runs, by the newest word of each of its workers: the same sums as in the results, as far as
// they are known, and whether the asked rate is sent.
import type { DepartedWorker } from "../loadtest/load-test-result.ts";
import type { Display, Finding } from "../loadtest/load-test-status.ts";
import { type Account, sumAccounts } from "../stats/account.ts";
import { saturatedShare } from "../stats/generator.ts";
import { Histogram } from "../stats/histogram.ts";
import { decodeHistogram } from "../stats/histogram-codec.ts";
import type { SnapshotLine } from "../stats/line.ts";
import { judge, latencyQuantiles, type Threshold, type ThresholdResult } from "../stats/threshold.ts";
import type { Pod } from "./objects.ts";
import { isSpeaking } from "./reports-wanted.ts";
import type { Script } from "./script.ts";
import { toldWorkers } from "./told-worker.ts";
import { displayOf } from "./verdict.ts";
import type { WorkerReport } from "./worker-report.ts";

export interface SeenOfRun {
  /** Of the run, the ended ones too. */
  pods: readonly Pod[];
  /** By Pod uid; of one that is not there nothing is known but what its Pod says. */
  reports: ReadonlyMap<string, WorkerReport>;
  departed?: readonly DepartedWorker[];
}

export interface Live {
  /** undefined: nobody has said anything lately. */
  display: Display | undefined;
  /** undefined: nobody runs any more, or none of those who do was heard. */
  rateAchieved: Finding | undefined;
  /** Those that are broken by what has happened so far; none as long as too little has. */
  broken: ThresholdResult[];
}

/** The condition that says whether the asked rate is sent. */
export const rateAchievedType = "RateAchieved";
/** Its reason when the workers are what keeps the rate from being sent. */
export const generatorSaturated = "GeneratorSaturated";
/** The rate is kept as long as no more of what was due than this was not sent, beside a request of each worker. */
const missedShare = 0.01;
/** Of a worker's connections: with fewer in use, it is not for want of one that requests are not sent. */
const takenShare = 0.9;
/** A quantile is judged when so many samples may lie beyond it, other thresholds with so many requests. */
const fewestBeyond = 10;
const fewestRequests = 1000;

/** Since the start, of all workers. */
interface Sums {
  account: Account;
  latency: Histogram;
  /** Of the worker that is the furthest. */
  elapsedSeconds: number;
}

/**
 * @returns undefined when no worker has said anything yet.
 */
export function liveFigures(script: Script, seen: SeenOfRun, thresholds: readonly Threshold[]): Live | undefined {
  const sums = sumsOf(seen);
  if (sums === undefined) return undefined;
  const running = seen.pods.filter(isSpeaking);
  const spans = reportsOf(running, seen).flatMap(lastSpan);
  return {
    display:
      spans.length === 0
        ? undefined
        : displayOf({
            ...sums.account,
            throughputPerSecond: sum(spans, ({ completed, seconds }) => completed / seconds),
            latencyUs: { p99: sums.latency.quantileNs(0.99) / 1e3 },
          }),
    rateAchieved: spans.length === 0 ? undefined : rateAchieved(script, spans, running.length),
    broken: brokenSoFar(thresholds, sums),
  };
}

export function sumsOf(seen: SeenOfRun): Sums | undefined {
  const others = seen.pods.filter((pod) => !isSpeaking(pod));
  const told = toldWorkers(others, seen.departed ?? [], seen.reports);
  const results = told.flatMap(({ result }) => result ?? []);
  const snapshots = reportsOf(seen.pods.filter(isSpeaking), seen).flatMap(({ snapshot }) => snapshot ?? []);
  if (results.length + snapshots.length === 0) return undefined;
  const latency = new Histogram();
  for (const result of results) latency.merge(result.latency.histogram);
  for (const snapshot of snapshots) latency.merge(decodeHistogram(snapshot.latency));
  return {
    account: sumAccounts([...results, ...snapshots].map((worker) => worker.account)),
    latency,
    elapsedSeconds: Math.max(
      ...results.map(({ scheduledSeconds }) => scheduledSeconds),
      ...snapshots.map((snapshot) => snapshot.elapsedSeconds),
    ),
  };
}

function reportsOf(pods: readonly Pod[], { reports }: SeenOfRun): WorkerReport[] {
  return pods.flatMap((pod) => reports.get(pod.metadata.uid ?? "") ?? []);
}

/** What one worker did in the time that the end of its log covers. */
interface RecentSpan {
  seconds: number;
  due: number;
  sent: number;
  completed: number;
  inFlight: number;
  strainedSeconds: number;
}

/** From the first to the last snapshot that was read; from the start on, if there is but one. */
function lastSpan({ snapshot, recent = [] }: WorkerReport): RecentSpan[] {
  if (snapshot === undefined) return [];
  const first = recent.find(({ startedAtMs }) => startedAtMs === snapshot.startedAtMs);
  const from = first === undefined || first === snapshot ? undefined : first;
  const seconds = snapshot.elapsedSeconds - (from?.elapsedSeconds ?? 0);
  if (seconds <= 0) return [];
  const since = (count: (account: Account) => number) => between(from, snapshot, count);
  return [
    {
      seconds,
      due: since(({ scheduled, lost }) => scheduled - lost),
      sent: since(({ sent }) => sent),
      completed: since(({ completed }) => completed),
      inFlight: snapshot.account.inFlight,
      strainedSeconds: (snapshot.strainedSeconds ?? 0) - (from?.strainedSeconds ?? 0),
    },
  ];
}

function between(from: SnapshotLine | undefined, to: SnapshotLine, count: (account: Account) => number): number {
  return count(to.account) - (from === undefined ? 0 : count(from.account));
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

function rateAchieved(script: Script, spans: readonly RecentSpan[], running: number): Finding {
  if (spans.length < running) return noReports(`${spans.length} of ${running} running workers have reported in time.`);
  const due = sum(spans, (span) => span.due);
  const missed = due - sum(spans, ({ sent }) => sent);
  if (missed <= Math.max(missedShare * due, spans.length)) {
    return { type: rateAchievedType, status: "True", reason: "RateKept", message: "What is due is sent." };
  }
  const words = `Of ${due} requests that were due lately, ${missed} were not sent:`;
  // One that lacks CPU finds all connections taken too: by responses that it has not read.
  const isStrained = ({ strainedSeconds, seconds }: RecentSpan) => strainedSeconds > saturatedShare * seconds;
  const isTaken = ({ inFlight }: RecentSpan) => inFlight >= takenShare * script.connections;
  const isBehind = (span: RecentSpan) => span.due - span.sent > missedShare * span.due;
  return spans.some((span) => isBehind(span) && (isStrained(span) || !isTaken(span)))
    ? falseFor(generatorSaturated, `${words} workers do not keep up, for want of CPU or though connections are free.`)
    : falseFor(
        "TargetSlow",
        `${words} the responses of the target do not come in time, and every connection waits for one.`,
      );
}

function noReports(message: string): Finding {
  return { type: rateAchievedType, status: "Unknown", reason: "NoReports", message };
}

function falseFor(reason: string, message: string): Finding {
  return { type: rateAchievedType, status: "False", reason, message };
}

/** What may still become a success counts as one. */
function brokenSoFar(thresholds: readonly Threshold[], { account, latency, elapsedSeconds }: Sums): ThresholdResult[] {
  const { scheduled, completed, inFlight, unsent } = account;
  const known = scheduled - inFlight - unsent;
  const measured = {
    account: { ...account, inFlight: 0, unsent: 0 },
    latency,
    throughputPerSecond: (completed + inFlight + unsent) / elapsedSeconds,
    askedPerSecond: scheduled / elapsedSeconds,
  };
  const isEnough = ({ name }: Threshold) =>
    name === "errorRate" || name === "minRate"
      ? known >= fewestRequests
      : latency.total * (1 - latencyQuantiles[name]) >= fewestBeyond;
  return thresholds
    .filter(isEnough)
    .map((threshold) => judge(threshold, measured))
    .filter(({ passed }) => !passed);
}
