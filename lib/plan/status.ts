// What the world says about a LoadTest, as status: recomputed from what is seen, except for what has happened for good.
import type { LoadTest } from "../loadtest/load-test.ts";
import type { Condition, Finding, LoadTestStatus, Phase } from "../loadtest/load-test-status.ts";
import { effectiveThresholds } from "../loadtest/thresholds.ts";
import type { Refusal } from "./acceptance.ts";
import type { Observed, Pod } from "./objects.ts";
import { hasEnded, measurementOf } from "./results.ts";
import { displayOf, passedFinding, stillRunning } from "./verdict.ts";

export interface Observation {
  refusal: Refusal | undefined;
  desired: number;
  /** Of the present plan, by worker; once the LoadTest is complete, all that are left. */
  pods: readonly Observed<Pod>[];
  /** When request 0 was due; absent as long as that is not known, and after a change of the spec. */
  startAtMs?: number | undefined;
  /** Of the load; absent without end, or without workers. */
  durationNs?: number | undefined;
  nowMs: number;
}

/** A finished LoadTest stays finished, whatever becomes of its Pods. */
export function isComplete(loadTest: LoadTest): boolean {
  return hasCondition(loadTest, "Complete");
}

export function statusOf(loadTest: LoadTest, observation: Observation): LoadTestStatus {
  const { desired, refusal, startAtMs, nowMs } = observation;
  const before = loadTest.status ?? {};
  const now = formatInstant(nowMs);
  const wasComplete = isComplete(loadTest);
  const complete = wasComplete || hasCompleted(observation);
  const pods = wasComplete ? [] : observation.pods;
  const ready = pods.filter(isRunning).length;
  const measured = complete ? verdictOf(loadTest, observation.pods) : { passed: stillRunning };
  const startTime =
    startAtMs === undefined ? (wasComplete && before.startTime) || measured.startTime : formatInstant(startAtMs);
  const findings = [
    accepted(refusal),
    workersReady(complete, ready, desired, pods),
    completion(loadTest, complete, pods),
  ];
  return {
    observedGeneration: loadTest.metadata.generation,
    phase: wasComplete
      ? (before.phase ?? "Finished")
      : phaseOf({ complete, refused: refusal !== undefined, ready, desired, pods }),
    conditions: [
      ...findings.map((finding) => dated(finding, loadTest, now)),
      "lastTransitionTime" in measured.passed ? measured.passed : dated(measured.passed, loadTest, now),
    ],
    workers: { desired: complete ? 0 : desired, ready: complete ? 0 : ready },
    ...(startTime ? { startTime } : {}),
    ...(complete ? { completionTime: before.completionTime ?? now } : {}),
    ...(measured.display === undefined ? {} : { display: measured.display }),
    ...(measured.results === undefined ? {} : { results: measured.results }),
  };
}

/**
 * Every worker has ended. One that failed, which leaves its Pod there until somebody deletes it, is waited for until the
 * schedule is over: until then it may be replaced.
 */
function hasCompleted({ refusal, desired, pods, startAtMs, durationNs, nowMs }: Observation): boolean {
  if (desired === 0 || refusal !== undefined || pods.filter(hasEnded).length < desired) return false;
  if (pods.every((pod) => pod.status?.phase === "Succeeded")) return true;
  return startAtMs !== undefined && durationNs !== undefined && nowMs >= startAtMs + durationNs / 1e6;
}

interface Verdict {
  passed: Finding | Condition;
  startTime?: string | undefined;
  display?: LoadTestStatus["display"];
  results?: LoadTestStatus["results"];
}

/** What the Pods say; once that is in the status it stays, whatever becomes of the Pods, or of the thresholds. */
function verdictOf({ status, spec }: LoadTest, pods: readonly Pod[]): Verdict {
  const before = status?.conditions?.find(({ type }) => type === "Passed");
  if (before !== undefined && before.reason !== stillRunning.reason) {
    return { passed: before, display: status?.display, results: status?.results };
  }
  const measurement = measurementOf(pods, effectiveThresholds(spec.thresholds));
  const passed = passedFinding(measurement);
  const results = measurement?.results;
  if (results === undefined) return { passed };
  return { passed, startTime: formatInstant(Date.parse(results.startedAt)), display: displayOf(results), results };
}

function completion(loadTest: LoadTest, complete: boolean, pods: readonly Pod[]): Finding {
  const type = "Complete";
  if (!complete) return { type, status: "False", reason: "InProgress", message: "The load has not ended." };
  const before = loadTest.status?.conditions?.find((condition) => condition.type === type);
  if (before?.status === "True") return { type, status: "True", reason: before.reason, message: before.message };
  const failed = pods.filter((pod) => pod.status?.phase === "Failed").length;
  return failed === 0
    ? { type, status: "True", reason: "WorkersFinished", message: "Every worker has ended its schedule." }
    : { type, status: "True", reason: "WorkersFailed", message: `${failed} of ${pods.length} workers have failed.` };
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

function workersReady(complete: boolean, ready: number, desired: number, pods: readonly Observed<Pod>[]): Finding {
  const type = "WorkersReady";
  if (complete) return { type, status: "False", reason: "Finished", message: "The workers have ended." };
  if (desired === 0) return { type, status: "False", reason: "NotAccepted", message: "No workers are wanted." };
  if (ready === desired)
    return { type, status: "True", reason: "AllRunning", message: `${ready} of ${desired} workers run.` };
  const trouble = pods.map(troubleOf).find((found) => found !== undefined);
  const reason = trouble?.reason ?? "WorkersStarting";
  const words = trouble === undefined ? "" : ` ${trouble.message}`;
  return { type, status: "False", reason, message: `${ready} of ${desired} workers run.${words}` };
}

/** Why a Pod does not run, in the words of the kubelet, the scheduler or the worker itself. */
function troubleOf(pod: Observed<Pod>): { reason: string; message: string } | undefined {
  const worker = pod.status?.containerStatuses?.[0];
  const waiting = worker?.state?.waiting;
  const terminated = worker?.state?.terminated ?? worker?.lastState?.terminated;
  const where = `Pod "${pod.metadata.name}": `;
  if (terminated !== undefined && terminated.exitCode !== 0) {
    const message = terminated.message?.trim() || waiting?.message || `exit code ${terminated.exitCode}`;
    return { reason: terminated.reason === "OOMKilled" ? "OutOfMemory" : "WorkerFailed", message: where + message };
  }
  if (waiting?.reason !== undefined && waiting.reason !== "ContainerCreating" && waiting.reason !== "PodInitializing") {
    return { reason: waiting.reason, message: where + (waiting.message ?? waiting.reason) };
  }
  const scheduled = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False") {
    return { reason: scheduled.reason ?? "Unschedulable", message: where + (scheduled.message ?? "not scheduled") };
  }
  if (pod.status?.phase === "Failed") {
    return { reason: pod.status.reason ?? "WorkerFailed", message: where + (pod.status.message ?? "failed") };
  }
  return undefined;
}

function phaseOf(seen: {
  complete: boolean;
  refused: boolean;
  ready: number;
  desired: number;
  pods: readonly Observed<Pod>[];
}): Phase {
  if (seen.refused || seen.pods.length === 0) return "Pending";
  if (seen.pods.some((pod) => pod.status?.phase === "Failed")) return "Failed";
  if (seen.complete) return "Finished";
  const ended = seen.pods.filter((pod) => pod.status?.phase === "Succeeded").length;
  return seen.ready + ended === seen.desired ? "Running" : "Starting";
}

/** Whether the worker's process runs now. */
export function isRunning(pod: Pod): boolean {
  return (
    pod.metadata.deletionTimestamp === undefined && pod.status?.containerStatuses?.[0]?.state?.running !== undefined
  );
}

function dated(finding: Finding, loadTest: LoadTest, now: string): Condition {
  const before = loadTest.status?.conditions?.find(({ type }) => type === finding.type);
  const lastTransitionTime = before?.status === finding.status ? before.lastTransitionTime : now;
  return { ...finding, lastTransitionTime, observedGeneration: loadTest.metadata.generation };
}

function hasCondition(loadTest: LoadTest, type: string): boolean {
  return (
    loadTest.status?.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false
  );
}
