// What the world says about a LoadTest, as status: recomputed from what is seen, except for what has happened for good.
import type { LoadTest } from "../loadtest/load-test.ts";
import type { Condition, Display, Finding, LoadTestStatus, Phase } from "../loadtest/load-test-status.ts";
import { plainText } from "../loadtest/plain-text.ts";
import type { Refusal } from "./acceptance.ts";
import { hasFailed, hasFinished, latestBySeat, type Worker } from "./crew.ts";
import { abortingReason, completeIn, type Ending } from "./ending.ts";
import type { Live } from "./live.ts";
import { preflightFinding } from "./preflight.ts";
import { failedEndings, progressFindings } from "./progress.ts";
import type { RunOutcome } from "./results.ts";
import { isCompleted, type Run } from "./run.ts";
import { behindFinding } from "./telling.ts";
import { type Planned, recordOf } from "./timeline.ts";
import { type Trouble, troubleOf } from "./trouble.ts";
import { displayOf, passedFinding, stillRunning } from "./verdict.ts";
import type { World } from "./world.ts";

/** Of a condition: three may say the same, and the status stays far below the 1.5 MiB that an object may have. */
const mostMessageBytes = 4096;

export interface Observation {
  run: Run;
  /** All of the run. */
  workers: readonly Worker[];
  refusal?: Refusal | undefined;
  /** Workers that are wanted now. */
  seats: number;
  /** Why the run is to end; absent: it goes on. */
  ending?: Ending | undefined;
  /** How the run has ended; absent: it has not. */
  completion?: Ending | undefined;
  isPaused?: boolean;
  /** When request 0 was due; absent as long as that is not known. */
  startAtMs?: number | undefined;
  /** The rates from then on. */
  timeline?: Planned | undefined;
  /** What the API server has just refused, and what the kubelet says in Events alone. */
  refusedCreations?: World["refusedCreations"];
  podWarnings?: World["podWarnings"];
  /** What the workers have said: while they run, and once the run has ended. */
  live?: Live | undefined;
  outcome?: RunOutcome | undefined;
  nowMs: number;
}

export function statusOf(loadTest: LoadTest, observation: Observation): LoadTestStatus {
  const { run, seats, refusal, completion, startAtMs, timeline, nowMs } = observation;
  const before = run.status;
  const now = formatInstant(nowMs);
  const wasComplete = isCompleted(before);
  const hasEnded = wasComplete || completion !== undefined;
  const present = observation.workers.filter((worker) => !worker.hasEnded);
  const ready = present.filter(({ isRunning }) => isRunning).length;
  const desired = hasEnded ? 0 : seats;
  const answered = preflightFinding(observation.workers) ?? conditionIn(before, "TargetAnswers");
  const measured = hasEnded ? verdictOf(observation) : liveVerdict(observation);
  const startTime = before.startTime ?? (startAtMs === undefined ? measured.startTime : formatInstant(startAtMs));
  const goesOn = !hasEnded && startAtMs !== undefined && timeline !== undefined;
  const record = goesOn ? recordOf(timeline, startAtMs) : undefined;
  const findings = [
    accepted(refusal),
    workersReady(hasEnded, ready, desired, wasComplete ? undefined : troubleIn(observation)),
    completionFinding(before, observation),
  ] as const;
  return {
    observedGeneration: loadTest.metadata.generation,
    ...(run.id === "" ? {} : { runID: run.id }),
    phase: phaseOf(observation, ready),
    conditions: [
      ...[...findings, ...progressFindings(...findings)].map((finding) => dated(finding, loadTest, before, now)),
      ...(answered === undefined ? [] : [datedOnce(answered, loadTest, before, now)]),
      ...(measured.rate === undefined ? [] : [datedOnce(measured.rate, loadTest, before, now)]),
      datedOnce(measured.passed, loadTest, before, now),
    ],
    workers: { desired, ready: hasEnded ? 0 : ready },
    ...(startTime === undefined ? {} : { startTime }),
    ...(record === undefined ? {} : { timeline: record }),
    ...(hasEnded ? { completionTime: before.completionTime ?? now } : {}),
    ...(measured.display === undefined ? {} : { display: measured.display }),
    ...(measured.results === undefined ? {} : { results: measured.results }),
  };
}

/** What the present workers suffer from. */
function troubleIn({ workers, refusedCreations, podWarnings }: Observation): Trouble | undefined {
  const present = [...latestBySeat(workers).values()].filter((worker) => !worker.hasEnded || hasFailed(worker));
  return troubleOf(
    present.map(({ pod }) => pod),
    refusedCreations,
    podWarnings,
  );
}

interface Verdict {
  rate: Finding | Condition | undefined;
  passed: Finding | Condition;
  startTime?: string | undefined;
  display?: Display | undefined;
  results?: LoadTestStatus["results"];
}

/** What the workers say; once that is in the status it stays, whatever becomes of their Pods, or of the thresholds. */
function verdictOf({ run: { status }, outcome }: Observation): Verdict {
  const before = conditionIn(status, "Passed");
  const rate = conditionIn(status, "RateAchieved");
  if (before !== undefined && before.reason !== stillRunning.reason) {
    return { rate, passed: before, display: status.display, results: status.results };
  }
  const passed = passedFinding(outcome);
  const results = outcome?.results;
  if (results === undefined) return { rate, passed };
  const startTime = formatInstant(Date.parse(results.startedAt));
  return { rate, passed, startTime, display: displayOf(results), results };
}

/** What the workers have said lately; when none was asked, what is known stays. */
function liveVerdict({ run: { status }, workers, live, nowMs }: Observation): Verdict {
  const rate = behindFinding(workers, nowMs) ?? live?.rateAchieved ?? conditionIn(status, "RateAchieved");
  return { rate, passed: stillRunning, display: live?.display ?? status.display };
}

function conditionIn({ conditions = [] }: LoadTestStatus, name: string): Condition | undefined {
  return conditions.find(({ type }) => type === name);
}

function completionFinding(before: LoadTestStatus, { completion, ending }: Observation): Finding {
  const type = "Complete";
  const known = completeIn(before.conditions);
  if (known?.status === "True") return { type, status: "True", reason: known.reason, message: known.message };
  if (completion !== undefined) return { type, status: "True", ...completion };
  if (ending?.reason === "Aborted") return { type, status: "False", reason: abortingReason, message: ending.message };
  return { type, status: "False", reason: "InProgress", message: "The load has not ended." };
}

/** RFC 3339 in whole seconds, as the API writes instants. */
function formatInstant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

function accepted(refusal: Refusal | undefined): Finding {
  if (refusal !== undefined) return { type: "Accepted", status: "False", ...refusal };
  return {
    type: "Accepted",
    status: "True",
    reason: "Valid",
    message: "The LoadTest is well-formed and within the limits.",
  };
}

function workersReady(hasEnded: boolean, ready: number, desired: number, trouble: Trouble | undefined): Finding {
  const type = "WorkersReady";
  if (hasEnded) return { type, status: "False", reason: "Finished", message: "The workers have ended." };
  if (desired === 0) return { type, status: "False", reason: "NoneWanted", message: "No workers are wanted." };
  const isReady = ready === desired;
  const reason = trouble?.reason ?? (isReady ? "AllRunning" : "WorkersStarting");
  const words = trouble === undefined ? "" : ` ${trouble.message}`;
  return { type, status: isReady ? "True" : "False", reason, message: `${ready} of ${desired} workers run.${words}` };
}

function phaseOf({ run, workers, refusal, seats, completion, isPaused, startAtMs }: Observation, ready: number): Phase {
  if (isCompleted(run.status)) return run.status.phase ?? "Finished";
  if (completion !== undefined) return failedEndings.includes(completion.reason) ? "Failed" : "Finished";
  if (refusal !== undefined || workers.length === 0) return "Pending";
  const latest = [...latestBySeat(workers).values()].filter(({ seat }) => seat < seats);
  if (latest.some(hasFailed)) return "Failed";
  if (isPaused) return "Paused";
  const hasBegun = startAtMs !== undefined || latest.some(({ plan }) => plan?.barrier === false);
  return hasBegun && ready + latest.filter(hasFinished).length >= seats ? "Running" : "Starting";
}

/** What has been said for good keeps its date. */
function datedOnce(finding: Finding | Condition, loadTest: LoadTest, before: LoadTestStatus, now: string): Condition {
  return "lastTransitionTime" in finding ? finding : dated(finding, loadTest, before, now);
}

function dated(finding: Finding, loadTest: LoadTest, before: LoadTestStatus, now: string): Condition {
  const known = before.conditions?.find(({ type }) => type === finding.type);
  const lastTransitionTime = known?.status === finding.status ? known.lastTransitionTime : now;
  const message = plainText(finding.message, mostMessageBytes);
  return { ...finding, message, lastTransitionTime, observedGeneration: loadTest.metadata.generation };
}
