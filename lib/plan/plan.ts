// Observed world → actions. Pure: the same world gives the same actions, and a world in order gives none.
import type { Canary } from "../loadtest/canary.ts";
import { type EffectiveSpec, effectiveSpec } from "../loadtest/defaults.ts";
import { parseDuration } from "../loadtest/duration.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import { judgeTarget, refuseCanary, refuseSize, refuseSpec } from "./acceptance.ts";
import { compileScript, serviceBackends } from "./compile.ts";
import { isRunning, mayHaveBegun, ownStartMs, toldStartMs, workerOf } from "./crew.ts";
import { completionOf, endingOf, isOver } from "./ending.ts";
import { liveFigures } from "./live.ts";
import { metricsServiceActions } from "./metrics-service.ts";
import { loadTestLabel } from "./names.ts";
import type { Observed, Pod } from "./objects.ts";
import { isRelief, mayLackPods, seatsWanted } from "./relief.ts";
import { stuckReason } from "./repairs.ts";
import { resultActions } from "./result-actions.ts";
import { measurementOf } from "./results.ts";
import { isComplete, isCompleted, isOf, presentRun, type Run } from "./run.ts";
import { storedOfRun, storedOutcome } from "./run-result.ts";
import { latestScript, type Script, scriptTowards } from "./script.ts";
import { dismissals, instructions, superfluous } from "./staffing.ts";
import { type Observation, statusOf } from "./status.ts";
import { statusWriteDelayMs } from "./status-writes.ts";
import { stuckWorker } from "./stuck.ts";
import { remindersFor } from "./telling.ts";
import { isChangeAhead, noticeNs, ratesOf } from "./timeline.ts";
import { refusePod } from "./trial-pod.ts";
import { isLongStarting } from "./trouble.ts";
import { isUntried } from "./untried.ts";
import { vacancies } from "./vacancies.ts";
import { workerCaFiles, workerPod } from "./worker-pod.ts";
import { type Action, objectName, ownerUid, type PlanOptions, type World } from "./world.ts";

export function plan(world: World, options: PlanOptions, nowMs: number): Action[] {
  const podsByOwner = Map.groupBy(world.pods, (pod) => ownerUid(pod) ?? "");
  return [
    ...world.loadTests.flatMap((loadTest) => {
      const owned = podsByOwner.get(loadTest.metadata.uid) ?? [];
      const actions = planLoadTest(loadTest, owned, world, options, nowMs);
      return [...actions, ...metricsServiceActions(loadTest, actions)];
    }),
    ...world.pods.filter((pod) => isOrphan(pod, world)).flatMap((pod) => deletion(pod, "its LoadTest is gone")),
  ];
}

/** The spec of a LoadTest that is to run; undefined when it has ended, is about to go, or is not well-formed. */
export function runnableSpec(loadTest: LoadTest, options: PlanOptions): EffectiveSpec | undefined {
  if (isComplete(loadTest) || loadTest.metadata.deletionTimestamp !== undefined) return undefined;
  if (refuseSpec(loadTest, options.maxRequestsPerSecond) !== undefined) return undefined;
  return effectiveSpec(loadTest.spec);
}

/**
 * Whether a LoadTest has to be looked at closely, as far as lists of LoadTests and Pods can tell: they show what is to be
 * done, or that something else decides, a Service or a Canary.
 */
export function needsAttention(
  loadTest: LoadTest,
  pods: readonly Observed<Pod>[],
  options: PlanOptions,
  nowMs: number,
): boolean {
  const spec = runnableSpec(loadTest, options);
  const { namespace, deletionTimestamp } = loadTest.metadata;
  const isOpen = deletionTimestamp === undefined && !isComplete(loadTest);
  if (isOpen && pods.some(isRunning)) return true; // its workers say what they do in their logs
  const run = presentRun(loadTest);
  const workers = pods.filter((pod) => isOf(pod, run)).map((pod) => workerOf(pod));
  if (spec !== undefined && (spec.canary !== undefined || mayLackPods(loadTest, spec, workers))) return true;
  if (spec !== undefined && isUntried(workers, spec, serviceBackends(spec, undefined, namespace))) return true;
  if (pods.some((pod) => isLongStarting(pod, nowMs))) return true;
  const world = {
    loadTests: [loadTest],
    pods,
    canaries: new Map(),
    services: new Map(),
    goneOwners: new Set<string>(),
  };
  return planLoadTest(loadTest, pods, world, options, nowMs).length > 0;
}

function planLoadTest(
  loadTest: LoadTest,
  pods: readonly Observed<Pod>[],
  world: World,
  options: PlanOptions,
  nowMs: number,
): Action[] {
  if (loadTest.metadata.deletionTimestamp !== undefined) {
    return pods.flatMap((pod) => deletion(pod, "the LoadTest is being deleted"));
  }
  const run = presentRun(loadTest);
  const [own, former] = [pods.filter((pod) => isOf(pod, run)), pods.filter((pod) => !isOf(pod, run))];
  const outdated = former.flatMap((pod) => deletion(pod, "its run is over"));
  const workers = own.map((pod) => workerOf(pod, world.reports));
  const { refusedCreations, podWarnings } = world;
  const status = (observation: Omit<Observation, "run" | "workers" | "nowMs">) =>
    statusAction(loadTest, { ...observation, run, workers, refusedCreations, podWarnings, nowMs }, world);
  const illFormed = refuseSpec(loadTest, options.maxRequestsPerSecond);
  if (isCompleted(run.status)) {
    const late = dismissals(workers, "its run is over", nowMs); // made by a call that was held up on its way
    return [...outdated, ...late, ...expiry(loadTest, run, nowMs), ...status({ refusal: illFormed, seats: 0 })];
  }

  const named = world.canaries.get(`${loadTest.metadata.namespace}/${loadTest.spec.canary}`);
  const unfit = illFormed ?? refuseCanary(loadTest, named);
  const canary = unfit === undefined ? named : undefined;
  const spec = effectiveSpec(unfit?.reason === "Invalid" ? illegible : loadTest.spec);
  const startAtMs = toldStartMs(workers) ?? recordedStartMs(run) ?? ownStartMs(workers, nowMs);
  const known = latestScript(workers.flatMap(({ plan: observed }) => observed ?? []));
  const wanted = compile(loadTest, run, spec, canary);
  const target = judgeTarget(spec, canary?.spec, loadTest.metadata.namespace, world.services);
  const isKnown = target.isKnown && world.podRefusals?.get(loadTest.metadata.uid) !== null;
  const refusal = unfit ?? refusePod(loadTest, world) ?? target.refusal ?? refuseSize(wanted, spec);
  const sinceStartNs = startAtMs === undefined ? undefined : (nowMs - startAtMs) * 1e6;
  const isManned = workers.some(({ hasEnded }) => !hasEnded); // a change ahead that nobody is told of would stay ahead
  const fromNs = sinceStartNs === undefined ? undefined : sinceStartNs + (isManned ? noticeNs : 0);
  const isPaused = spec.state === "Paused";
  const isFit = refusal === undefined && (isKnown || !isUntried(workers, spec, wanted.backends));
  const attainable = isFit ? wanted : (known ?? wanted);
  const script =
    unfit !== undefined && known !== undefined
      ? known
      : scriptTowards(known, attainable, { rates: ratesOf(wanted), isPaused, fromNs });
  const { reports = new Map() } = world;
  const stored = world.results?.get(loadTest.metadata.uid);
  const kept = storedOfRun(stored ?? null, startAtMs);
  const told = { reports, departed: kept?.departed ?? [] };
  const live = liveFigures(script, { pods: own, ...told }, spec.thresholds);
  const ending = endingOf(spec, run, startAtMs !== undefined || mayHaveBegun(workers), live?.broken ?? [], nowMs);
  const isDone = isOver(script, startAtMs, nowMs);
  const scene = { workers, known, rate: live?.rateAchieved, isOver: isDone, nowMs };
  const seats = unfit === undefined ? seatsWanted(loadTest, spec, scene) : 0;
  const completion = completionOf(workers, seats, ending, isDone);
  const isStopped = ending !== undefined;
  const measurement =
    completion === undefined || kept?.complete
      ? undefined
      : measurementOf(own, spec.thresholds, { ...told, isStopped });
  const { generation } = loadTest.metadata;
  const staffing = { workers, seats, spec: isFit ? spec : undefined, script, generation, startAtMs, nowMs };
  const stuck = ending === undefined && !isDone ? stuckWorker(workers, seats, nowMs) : undefined;
  const isFree = isKnown && former.length === 0 && !hasPredecessor(loadTest, world);
  const mayCreate = isFree && refusal === undefined && ending === undefined && completion === undefined && !isDone;
  const mayPause = isPaused && unfit === undefined && isManned;
  const isPausing = mayPause && isChangeAhead(script, sinceStartNs); // it will be said once it is so
  const why = unfit === undefined ? "the LoadTest has changed" : "the LoadTest is not accepted";
  const orders =
    ending === undefined
      ? [...dismissals(superfluous(staffing), why, nowMs), ...instructions(staffing)]
      : dismissals(workers, ending.message, nowMs);
  return [
    ...outdated,
    ...(stuck === undefined ? [] : deletion(stuck.pod, stuckReason)),
    ...orders,
    ...remindersFor(workers, orders, nowMs),
    ...(mayCreate ? vacancies(staffing) : []).map(
      ({ plan: workerPlan, attempt, cause }): Action => ({
        kind: "createPod",
        cause: cause === "first" && isRelief(loadTest, spec, workerPlan.worker.index) ? "relief" : cause,
        pod: workerPod(loadTest, spec, workerPlan, { run: run.hash, attempt, image: options.workerImage }),
      }),
    ),
    ...resultActions(loadTest, run, { pods: own, reports, stored, startAtMs, measurement }),
    ...(isPausing
      ? []
      : status({
          refusal: completion === undefined ? refusal : illFormed, // as of now on, when nothing else is looked at
          seats: ending === undefined ? seats : 0,
          ending,
          completion,
          isPaused,
          startAtMs,
          outcome: measurement ?? (kept === null ? undefined : storedOutcome(kept)),
          live,
        })),
  ];
}

/** Stands for a spec that is not well-formed: nothing of what it asks for is known. */
const illegible: LoadTest["spec"] = { service: "", scheme: "http", requestsPerSecond: 1 };

function compile(loadTest: LoadTest, run: Run, spec: EffectiveSpec, canary: Canary | null | undefined): Script {
  const { serverName, insecure, clientCertificate } = spec;
  const tls = {
    caFiles: workerCaFiles(spec),
    insecure,
    ...(serverName === undefined ? {} : { serverName }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
  };
  const backends = serviceBackends(spec, canary?.spec, loadTest.metadata.namespace);
  return compileScript(spec, { backends, tls }, { pacing: "relaxed", seed: Number(`0x${run.hash}`) });
}

/** The start that the status remembers, for when no Pod is left that knows it. */
function recordedStartMs({ status: { startTime } }: Run): number | undefined {
  return startTime === undefined ? undefined : Date.parse(startTime);
}

/** Whether Pods of a former LoadTest of the same name are still there: their load is to end first. */
function hasPredecessor({ metadata }: LoadTest, world: World): boolean {
  return world.pods.some(
    (pod) =>
      pod.metadata.namespace === metadata.namespace &&
      pod.metadata.labels?.[loadTestLabel] === metadata.name &&
      ownerUid(pod) !== metadata.uid,
  );
}

function isOrphan(pod: Pod, world: World): boolean {
  const uid = ownerUid(pod);
  if (world.loadTests.some(({ metadata }) => metadata.uid === uid)) return false;
  return world.goneOwners.has(uid ?? objectName(pod));
}

function deletion(pod: Observed<Pod>, reason: string): Action[] {
  const { namespace = "", name, uid, deletionTimestamp } = pod.metadata;
  return deletionTimestamp === undefined ? [{ kind: "deletePod", namespace, name, uid, reason }] : [];
}

/** A LoadTest that has been finished for as long as it wants to stay is deleted. */
function expiry({ metadata, spec }: LoadTest, { status }: Run, nowMs: number): Action[] {
  const { namespace, name, uid, resourceVersion: version } = metadata;
  const ttlNs = spec.ttlAfterFinished === undefined ? undefined : parseDuration(spec.ttlAfterFinished);
  if (ttlNs === undefined) return [];
  const isOver = nowMs >= Date.parse(status.completionTime ?? "") + ttlNs / 1e6; // never, of an instant that is none
  if (!isOver) return [];
  return [{ kind: "deleteLoadTest", namespace, name, uid, version, reason: "its spec.ttlAfterFinished is over" }];
}

function statusAction(loadTest: LoadTest, observation: Observation, world: World): Action[] {
  const status = statusOf(loadTest, observation);
  const { namespace, name, uid, resourceVersion: version } = loadTest.metadata;
  const delayMs = statusWriteDelayMs(loadTest.status, status, world.statusWrittenAtMs?.get(uid), observation.nowMs);
  return delayMs === 0 ? [{ kind: "patchStatus", namespace, name, uid, version, status }] : [];
}
