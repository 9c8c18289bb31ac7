// What keeps the workers of a LoadTest from running, as one reason and one message: in the words of whoever knows, the API
// server, the scheduler, the kubelet or the worker itself. What most workers suffer from comes first.
import { plainText } from "../loadtest/plain-text.ts";
import { parseWorkerFailure, type WorkerFailure } from "../stats/worker-failure.ts";
import type { ContainerState, ContainerStatus, Pod } from "./objects.ts";
import { workerStatus } from "./worker-status.ts";

export interface Trouble {
  /** One CamelCase word. */
  reason: string;
  message: string;
}

/** A Pod that the API server will not have, in its words. */
export interface RefusedCreation {
  pod: string;
  /** HTTP status. */
  code: number;
  message: string;
}

/** What the kubelet says of a Pod in an Event and nowhere else. */
export interface PodWarning {
  reason: string;
  message: string;
}

/** What one worker suffers from; `who` begins the sentence. */
interface Case extends Trouble {
  who: string;
}

/** Not longer than people read. */
const mostMessageBytes = 400;
/** A container that is about to start for longer than this waits for something. */
const startPatienceMs = 4000;
const restartsOfLoop = 3;

/**
 * @param warnings By the Pod's uid.
 * @returns undefined: nothing is wrong, as far as these can tell.
 */
export function troubleOf(
  pods: readonly Pod[],
  refused: readonly RefusedCreation[] = [],
  warnings: ReadonlyMap<string, PodWarning> = new Map(),
): Trouble | undefined {
  const cases = [
    ...refused.map(creationCase),
    ...pods.flatMap((pod): Case[] => {
      const trouble = podTrouble(pod, warnings.get(pod.metadata.uid ?? ""));
      return trouble === undefined ? [] : [{ ...trouble, who: `Pod "${pod.metadata.name}"` }];
    }),
  ];
  const groups = [...Map.groupBy(cases, ({ reason }) => reason).values()];
  const [first, ...others] = groups.toSorted((a, b) => b.length - a.length);
  const example = first?.[0];
  if (first === undefined || example === undefined) return undefined;
  const also = others.map((group) => `; ${workerCount(group.length)}: ${group[0]?.reason}`).join("");
  const message = `${workerCount(first.length)}: ${example.who}: ${plainText(example.message, mostMessageBytes)}${also}`;
  return { reason: example.reason, message };
}

export function workerCount(count: number): string {
  return count === 1 ? "1 worker" : `${count} workers`;
}

function creationCase({ pod, code, message }: RefusedCreation): Case {
  const isForbidden = code === 403;
  const reason =
    isForbidden && /exceeded quota|failed quota/.test(message)
      ? "QuotaExceeded"
      : isForbidden && message.includes("violates PodSecurity")
        ? "PodSecurityViolation"
        : "PodRefused";
  return { reason, message, who: `Pod "${pod}" was refused` };
}

/** Whether only the Events of a Pod can tell what it is waiting for; its volumes and its network are there once it may start. */
export function isLongStarting(pod: Pod, nowMs: number): boolean {
  const { status = {} } = pod;
  const scheduled = condition(status, "PodScheduled");
  return (
    isStarting(pod) &&
    condition(status, "PodReadyToStartContainers")?.status !== "True" &&
    scheduled?.lastTransitionTime !== undefined &&
    nowMs - Date.parse(scheduled.lastTransitionTime) >= startPatienceMs
  );
}

const startingReasons = ["ContainerCreating", "PodInitializing"];

/** Whether its node is about to start it. */
export function isStarting(pod: Pod): boolean {
  return startingReasons.includes(workerStatus(pod)?.state?.waiting?.reason ?? "");
}

function podTrouble(pod: Pod, warning: PodWarning | undefined): Trouble | undefined {
  return podEnd(pod) ?? containerTrouble(workerStatus(pod)) ?? waitOfPod(pod, warning);
}

const disruptions: Readonly<Record<string, string>> = {
  DeletionByTaintManager: "NodeLost",
  DeletionByPodGC: "NodeLost",
  PreemptionByScheduler: "Preempted",
  EvictionByEvictionAPI: "Evicted",
};

/** The Pod as a whole has ended, or is about to. */
function podEnd({ metadata, status = {} }: Pod): Trouble | undefined {
  const { phase, reason, message } = status;
  if (phase === "Failed" && reason !== undefined) return { reason, message: message || reason };
  const disruption = condition(status, "DisruptionTarget");
  const named = disruption?.status === "True" ? disruptions[disruption.reason ?? ""] : undefined;
  if (named !== undefined) return { reason: named, message: disruption?.message || named };
  // The node lifecycle controller says no more of a node that does not answer; a gate that others keep has a reason.
  const ready = condition(status, "Ready");
  const isGated = ready?.reason === "ReadinessGatesNotReady";
  if (ready?.status === "False" && !isGated && condition(status, "ContainersReady")?.status === "True") {
    return { reason: "NodeLost", message: "its node does not answer" };
  }
  if (metadata.deletionTimestamp === undefined) return undefined;
  return { reason: "WorkerDeleted", message: "it is being deleted" };
}

function condition(status: NonNullable<Pod["status"]>, type: string) {
  return status.conditions?.find((one) => one.type === type);
}

/** A container that runs again after a failure has had trouble, and keeps it: it may be about to fail again. */
function containerTrouble(status: ContainerStatus | undefined): Trouble | undefined {
  const { state = {}, lastState = {}, restartCount = 0 } = status ?? {};
  const { waiting } = state;
  const terminated = state.terminated ?? lastState.terminated;
  if (terminated !== undefined && terminated.exitCode !== 0) return failure(terminated, restartCount);
  if (waiting?.reason === undefined || startingReasons.includes(waiting.reason)) return undefined;
  const isImage = /Image|Registry|Signature/.test(waiting.reason);
  return { reason: isImage ? "ImagePullFailed" : waiting.reason, message: waiting.message || waiting.reason };
}

const failureReasons: Readonly<Record<WorkerFailure["reason"], string>> = {
  dns: "TargetNotFound",
  refused: "TargetRefused",
  connect: "TargetUnreachable",
  tlsChain: "TargetTls",
  tlsName: "TargetTls",
  tlsHandshake: "TargetTls",
  unexpectedStatus: "TargetRejected",
  resetBeforeFirstByte: "TargetRejected",
  resetMidBody: "TargetRejected",
  truncated: "TargetRejected",
  malformed: "TargetRejected",
  other: "WorkerFailed",
};

function failure(
  { exitCode, reason, message = "" }: NonNullable<ContainerState["terminated"]>,
  restarts: number,
): Trouble {
  const told = parseWorkerFailure(message);
  const words = told?.message ?? (message === "" || message.startsWith("{") ? `exit code ${exitCode}` : message);
  if (reason === "OOMKilled") return { reason: "OutOfMemory", message: "it used more memory than its limit" };
  if (reason === "StartError" || reason === "ContainerCannotRun") return { reason: "StartError", message: words };
  const named = failureReasons[told?.reason ?? "other"];
  const isLoop = named === "WorkerFailed" && restarts >= restartsOfLoop;
  return isLoop
    ? { reason: "CrashLoop", message: `it was started ${restarts + 1} times; ${words}` }
    : { reason: named, message: words };
}

/** What else Events warn of passes, or is past. */
const warningReasons: Readonly<Record<string, string>> = {
  FailedMount: "VolumeNotMounted",
  FailedMapVolume: "VolumeNotMounted",
  FailedAttachVolume: "VolumeNotMounted",
  FailedCreatePodSandBox: "StartDelayed",
  NetworkNotReady: "StartDelayed",
};

/** No container is at work yet. */
function waitOfPod({ status = {} }: Pod, warning: PodWarning | undefined): Trouble | undefined {
  const scheduled = condition(status, "PodScheduled");
  if (scheduled?.status === "False") {
    return { reason: scheduled.reason ?? "Unschedulable", message: scheduled.message || "it has no node" };
  }
  if (status.phase === "Failed") return { reason: "WorkerFailed", message: "it has failed" };
  if (warning === undefined) return undefined;
  const reason = warningReasons[warning.reason];
  return reason === undefined ? undefined : { reason, message: warning.message };
}
