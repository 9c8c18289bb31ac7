// Observed world → actions. Pure: the same world gives the same actions, and a world in order gives none.
//
// A LoadTest whose plan has changed loses all its Pods first, and gets the new ones when the old are gone: at no time
// is there more load than the spec asks for.
import { isDeepStrictEqual } from "node:util";
import type { WorkerPlan } from "../load/worker-plan.ts";
import { type EffectiveSpec, effectiveSpec } from "../loadtest/defaults.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import { refuseCanary, refuseSpec, refuseTarget } from "./acceptance.ts";
import { type Backend, compileWorkerPlans, serviceBackends, serviceShares } from "./compile.ts";
import { loadTestLabel, runHash } from "./names.ts";
import type { Observed, Pod } from "./objects.ts";
import { observedPlan } from "./observed-plan.ts";
import { isComplete, isRunning, statusOf } from "./status.ts";
import { workerCaFiles, workerPod } from "./worker-pod.ts";
import { type Action, objectName, ownerUid, type PlanOptions, type World } from "./world.ts";

/** From telling several workers to their common start: the kubelet takes up to a second to show them their plan. */
const barrierMs = 2000;

export function plan(world: World, options: PlanOptions, nowMs: number): Action[] {
  const podsByOwner = Map.groupBy(world.pods, (pod) => ownerUid(pod) ?? "");
  return [
    ...world.loadTests.flatMap((loadTest) =>
      planLoadTest(loadTest, podsByOwner.get(loadTest.metadata.uid) ?? [], world, options, nowMs),
    ),
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
  if (spec !== undefined && (spec.canary !== undefined || pods.length < spec.workers)) return true;
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
  const status = (observation: Omit<Parameters<typeof statusOf>[1], "nowMs">) =>
    statusAction(loadTest, { ...observation, nowMs });
  if (isComplete(loadTest)) return status({ refusal: undefined, desired: 0, pods });

  const { namespace } = loadTest.metadata;
  const canary = world.canaries.get(`${namespace}/${loadTest.spec.canary}`);
  const invalid = refuseSpec(loadTest, options.maxRequestsPerSecond) ?? refuseCanary(loadTest, canary);
  if (invalid !== undefined) {
    const deletions = pods.flatMap((pod) => deletion(pod, "the LoadTest is not accepted"));
    return [...deletions, ...status({ refusal: invalid, desired: 0, pods: [] })];
  }
  const spec = effectiveSpec(loadTest.spec);
  const backends = serviceBackends(spec, canary?.spec, namespace);
  const plans = workerPlans(loadTest, spec, backends);
  const outdated = pods.filter((pod) => !fitsPlans(pod, plans));
  if (outdated.length > 0) {
    const deletions = pods.flatMap((pod) => deletion(pod, "the LoadTest has changed"));
    return [...deletions, ...status({ refusal: undefined, desired: spec.workers, pods: [] })];
  }
  const startAtMs = knownStartMs(pods) ?? recordedStartMs(loadTest);
  const missing = plans.filter(
    (wanted) => !pods.some((pod) => observedPlan(pod)?.worker.index === wanted.worker.index),
  );
  const shares = serviceShares(spec, canary?.spec);
  const services = shares.map(({ service }) => [service, world.services.get(`${namespace}/${service}`)] as const);
  const areKnown = services.every(([, service]) => service !== undefined);
  const refusal =
    missing.length === 0
      ? undefined
      : services
          .map(([name, service]) => (service === undefined ? undefined : refuseTarget(spec, namespace, name, service)))
          .find((found) => found !== undefined);
  const creations: Action[] =
    refusal !== undefined || !areKnown || hasPredecessor(loadTest, world)
      ? []
      : missing.map((wanted) => {
          const complete = startAtMs === undefined ? wanted : { ...wanted, startAtMs };
          return { kind: "createPod", pod: workerPod(loadTest, spec, complete, options.workerImage) };
        });
  return [
    ...creations,
    ...startActions(pods, spec, nowMs),
    ...status({ refusal, desired: spec.workers, durationNs: spec.durationNs, pods, startAtMs }),
  ];
}

function workerPlans(loadTest: LoadTest, spec: EffectiveSpec, backends: readonly Backend[]): WorkerPlan[] {
  const { serverName, insecure } = spec;
  const tls = { caFiles: workerCaFiles(spec), insecure, ...(serverName === undefined ? {} : { serverName }) };
  const { generation, uid } = loadTest.metadata;
  return compileWorkerPlans(
    spec,
    { backends, tls },
    { generation, pacing: "relaxed", seed: Number(`0x${runHash(uid)}`) },
  );
}

/** Whether the Pod carries one of the plans; the generation and the start instant may differ. */
function fitsPlans(pod: Pod, plans: readonly WorkerPlan[]): boolean {
  const { startAtMs: _, generation: __, ...observed } = observedPlan(pod) ?? ({} as WorkerPlan);
  const { generation: ___, ...wanted } = plans[observed.worker?.index ?? -1] ?? ({} as WorkerPlan);
  return observed.worker !== undefined && isDeepStrictEqual(observed, wanted);
}

/**
 * Writes the start instant into the plans: of several workers once all run, so that they begin together; of a single
 * one the instant at which it began, so that after a restart it goes on where the schedule then is.
 */
function startActions(pods: readonly Observed<Pod>[], spec: EffectiveSpec, nowMs: number): Action[] {
  const known = knownStartMs(pods);
  if (known === undefined && (pods.length < spec.workers || !pods.every(isRunning))) return [];
  const plans = pods.map((pod) => observedPlan(pod) as WorkerPlan);
  const startAtMs = known ?? (spec.workers > 1 ? nowMs + barrierMs : runningSinceMs(pods[0] as Pod));
  return pods.flatMap((pod, index) => {
    const observed = plans[index] as WorkerPlan;
    if (observed.startAtMs !== undefined || startAtMs === undefined) return [];
    const { namespace = "", name, uid } = pod.metadata;
    return [{ kind: "setPlan" as const, namespace, name, uid, plan: JSON.stringify({ ...observed, startAtMs }) }];
  });
}

/** The start that has been told to a worker of the run; a Pod made later begins in mid-schedule. */
function knownStartMs(pods: readonly Pod[]): number | undefined {
  return pods.map((pod) => observedPlan(pod)?.startAtMs).find((startAtMs) => startAtMs !== undefined);
}

/** The start that the status remembers of this very spec, for when no Pod is left that knows it. */
function recordedStartMs({ status, metadata }: LoadTest): number | undefined {
  if (status?.startTime === undefined || status.observedGeneration !== metadata.generation) return undefined;
  return Date.parse(status.startTime);
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

function runningSinceMs(pod: Pod): number | undefined {
  const startedAt = pod.status?.containerStatuses?.[0]?.state?.running?.startedAt;
  return startedAt === undefined ? undefined : Date.parse(startedAt);
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

function statusAction(loadTest: LoadTest, observation: Parameters<typeof statusOf>[1]): Action[] {
  const status = statusOf(loadTest, observation);
  const { namespace, name, uid } = loadTest.metadata;
  return isDeepStrictEqual(status, loadTest.status) ? [] : [{ kind: "patchStatus", namespace, name, uid, status }];
}
