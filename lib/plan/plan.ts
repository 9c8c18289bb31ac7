// Observed world → actions. Pure: the same world gives the same actions, and a world in order gives none.
import { type EffectiveSpec, effectiveSpec } from "../loadtest/defaults.ts";
import { parseDuration } from "../loadtest/duration.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import { refuseSpec } from "./acceptance.ts";
import { serviceBackends } from "./compile.ts";
import { courseOf } from "./course.ts";
import { isOutlived, isRunning, mayHaveBegun, type Worker, workerOf } from "./crew.ts";
import { demandOf } from "./demand.ts";
import { completionOf, endingOf } from "./ending.ts";
import { liveFigures } from "./live.ts";
import { metricsServiceActions } from "./metrics-service.ts";
import { loadTestLabel } from "./names.ts";
import type { Observed, Pod } from "./objects.ts";
import { isRelief, mayLackPods, seatsWanted } from "./relief.ts";
import { stuckReason } from "./repairs.ts";
import { resultActions } from "./result-actions.ts";
import { measurementOf } from "./results.ts";
import { isComplete, isCompleted, isOf, presentRun, type Run } from "./run.ts";
import { isFinal, storedOfRun, storedOutcome } from "./run-result.ts";
import { dismissals, instructions, superfluous } from "./staffing.ts";
import { type Observation, statusOf } from "./status.ts";
import { statusWriteDelayMs } from "./status-writes.ts";
import { stuckWorker } from "./stuck.ts";
import { remindersFor } from "./telling.ts";
import { isLongStarting } from "./trouble.ts";
import { isUntried } from "./untried.ts";
import { type Vacancy, vacancies } from "./vacancies.ts";
import { workerPod } from "./worker-pod.ts";
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
  const workers = own.map((pod) => workerOf(pod, world.reports));
  const outdated = former.flatMap((pod) => deletion(pod, "its run is over"));
  if (!isCompleted(run.status)) return [...outdated, ...planRun(loadTest, run, workers, world, options, nowMs)];
  const refusal = refuseSpec(loadTest, options.maxRequestsPerSecond);
  return [
    ...outdated,
    ...dismissals(workers, "its run is over", nowMs), // made by a call that was held up on its way
    ...own.filter(isOutlived).flatMap((pod) => deletion(pod, "its worker has ended, and others in it go on")),
    ...expiry(loadTest, run, nowMs),
    ...statusAction(loadTest, { run, workers, refusal, seats: 0, nowMs }, world),
  ];
}

/** Of a run that is not complete. */
function planRun(
  loadTest: LoadTest,
  run: Run,
  workers: readonly Worker[],
  world: World,
  options: PlanOptions,
  nowMs: number,
): Action[] {
  const { generation, uid } = loadTest.metadata;
  const pods = workers.map(({ pod }) => pod);
  const demand = demandOf(loadTest, run, workers, world, options);
  const { spec, unfit, refusal } = demand;
  const course = courseOf(demand, run, workers, nowMs);
  const { followed, script, startAtMs, isOver } = course;

  const { reports = new Map() } = world;
  const stored = world.results?.get(uid);
  const kept = storedOfRun(stored ?? null, startAtMs);
  const told = { reports, departed: kept?.departed ?? world.departed?.get(uid) ?? [] };
  const live = liveFigures(script, { pods, ...told }, spec.thresholds);
  const ending = endingOf(spec, run, startAtMs !== undefined || mayHaveBegun(workers), live?.broken ?? [], nowMs);
  const isStopped = ending !== undefined;
  const scene = { workers, known: course.known, rate: live?.rateAchieved, isOver, nowMs };
  const seats = unfit === undefined ? seatsWanted(loadTest, spec, scene) : 0;
  const completion = completionOf(workers, seats, ending, isOver);
  const desired = run.status.workers?.desired;
  const measured =
    completion === undefined
      ? undefined
      : measurementOf(pods, spec.thresholds, { ...told, isStopped, followed, script, desired });
  const measurement = kept !== null && isFinal(kept, measured) ? undefined : measured;

  const staffing = { workers, seats, spec: demand.isFit ? spec : undefined, script, generation, startAtMs, nowMs };
  const why = unfit === undefined ? "the LoadTest has changed" : "the LoadTest is not accepted";
  const orders = isStopped
    ? dismissals(workers, ending.message, nowMs)
    : [...dismissals(superfluous(staffing), why, nowMs), ...instructions(staffing)];
  const isInNeed = demand.isKnown && refusal === undefined && !isStopped && completion === undefined && !isOver;
  const vacant = isInNeed && !hasPredecessor(loadTest, run, world) ? vacancies(staffing) : [];
  const stuck = isStopped || isOver ? undefined : stuckWorker(workers, seats, nowMs);
  const observation = {
    run,
    workers,
    refusal: completion === undefined ? refusal : demand.illFormed, // as of now on, when nothing else is looked at
    seats: isStopped ? 0 : seats,
    ending,
    completion,
    isPaused: spec.state === "Paused",
    startAtMs,
    timeline: unfit === undefined ? script : followed,
    outcome: measurement ?? (kept === null ? undefined : storedOutcome(kept)),
    live,
    nowMs,
  };
  return [
    ...(stuck === undefined ? [] : deletion(stuck.pod, stuckReason)),
    ...orders,
    ...remindersFor(workers, orders, nowMs),
    ...vacant.map((vacancy) => creation(loadTest, spec, run, vacancy, options)),
    ...resultActions(loadTest, run, { pods, reports, stored, startAtMs, measurement }),
    ...(course.isPausing && run.status.startTime !== undefined ? [] : statusAction(loadTest, observation, world)),
  ];
}

function creation(
  loadTest: LoadTest,
  spec: EffectiveSpec,
  run: Run,
  { plan: workerPlan, attempt, cause }: Vacancy,
  { workerImage: image }: PlanOptions,
): Action {
  const isAdded = cause === "first" && isRelief(loadTest, spec, workerPlan.worker.index);
  const pod = workerPod(loadTest, spec, workerPlan, { run: run.hash, attempt, image });
  return { kind: "createPod", cause: isAdded ? "relief" : cause, pod };
}

/** Whether Pods of a former run, or of a former LoadTest of the same name, are still there: their load is to end first. */
function hasPredecessor({ metadata }: LoadTest, run: Run, world: World): boolean {
  return world.pods.some(
    (pod) =>
      pod.metadata.namespace === metadata.namespace &&
      pod.metadata.labels?.[loadTestLabel] === metadata.name &&
      (ownerUid(pod) !== metadata.uid || !isOf(pod, run)),
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

function statusAction(loadTest: LoadTest, seen: Observation, world: World): Action[] {
  const { refusedCreations, podWarnings } = world;
  const observation = { ...seen, refusedCreations, podWarnings };
  const status = statusOf(loadTest, observation);
  const { namespace, name, uid, resourceVersion: version } = loadTest.metadata;
  const delayMs = statusWriteDelayMs(loadTest.status, status, world.statusWrittenAtMs?.get(uid), observation.nowMs);
  return delayMs === 0 ? [{ kind: "patchStatus", namespace, name, uid, version, status }] : [];
}
