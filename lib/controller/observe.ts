// The cluster as it is now: all LoadTests and worker Pods in a list each, to see who needs attention; and one LoadTest
// with everything that decides about it, live.
import { ApiError, isForbidden } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { newestWarning } from "../kube/events.ts";
import { find } from "../kube/find.ts";
import { canaries, loadtests, type ObjectKey, pods, type Resource, services } from "../kube/resource.ts";
import type { Canary } from "../loadtest/canary.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import { judgeTarget } from "../plan/acceptance.ts";
import { serviceBackends, serviceShares } from "../plan/compile.ts";
import { type Worker, workerOf } from "../plan/crew.ts";
import { loadTestLabel } from "../plan/names.ts";
import type { KubeObject, Observed, Pod, Service } from "../plan/objects.ts";
import { runnableSpec } from "../plan/plan.ts";
import { knownSeats, mayLackPods } from "../plan/relief.ts";
import { isOf, presentRun } from "../plan/run.ts";
import { isPodRefusal, trialPod } from "../plan/trial-pod.ts";
import { isLongStarting, type PodWarning } from "../plan/trouble.ts";
import { isPodUntried, isUntried } from "../plan/untried.ts";
import { isWorkerPod, objectName, ownerUid, type PlanOptions, type World } from "../plan/world.ts";
import { nowMs } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { RecentServices } from "./recent-services.ts";

/** Pods of a LoadTest whose Events are looked at: the others suffer from the same. */
const mostAskedAfter = 8;

export interface Scope {
  /** Absent: all namespaces. */
  namespace?: string;
}

export interface Lists {
  loadTests: readonly LoadTest[];
  /** The worker Pods. */
  pods: readonly Observed<Pod>[];
  /** Of the lists, where watches continue. */
  versions: { loadTests: string; pods: string };
}

export async function list(client: KubeClient, scope: Scope): Promise<Lists> {
  const [loadTestList, podList] = await Promise.all([
    client.list(loadtests, scope),
    client.list(pods, { ...scope, labelSelector: loadTestLabel }),
  ]);
  return {
    loadTests: loadTestList.items as unknown as LoadTest[],
    pods: podList.items.filter(isWorkerPod),
    versions: { loadTests: loadTestList.resourceVersion, pods: podList.resourceVersion },
  };
}

/**
 * One LoadTest, with the Pods that bear its name, whoever owns them, and its target as far as that matters now.
 *
 * @param fresh The LoadTest, if a watch has just shown it for the first time, and Pods that bear its name have not been
 *   heard of. It is taken for what is so: a consistent list of Pods waits up to 100 ms while other objects are written
 *   (KEP-2340), and who makes a Pod a second time is told so.
 * @param recent Asked for the target of a fresh one.
 */
export async function observe(
  client: KubeClient,
  key: Required<ObjectKey>,
  options: PlanOptions,
  log: Log,
  fresh?: LoadTest,
  recent?: RecentServices,
): Promise<World> {
  const getLoadTest = async () => (await getOrNull(client, loadtests, key)) as LoadTest | null;
  // One after the other: Pods from before what the LoadTest says of them would be taken for lost ones.
  const loadTest = fresh ?? (await getLoadTest());
  const workers = fresh === undefined ? await listNamed(client, key) : [];
  const getService = (service: Required<ObjectKey>) =>
    fresh === undefined || recent === undefined ? getOrNull(client, services, service) : recent.get(client, service);
  const target = loadTest === null ? none : await observeTarget(client, loadTest, workers, options, getService);
  return {
    loadTests: loadTest === null ? [] : [loadTest],
    pods: workers,
    ...target,
    // Who has just come is not asked about first, that being one more call before its Pods: making them tells as well.
    ...(loadTest === null || fresh !== undefined
      ? {}
      : await observeTrial(client, loadTest, workers, target, options, log)),
    goneOwners: await goneOwners(loadTest, workers, getLoadTest),
    podWarnings: await observeWarnings(client, workers, log),
  };
}

/** Owners of Pods, or the Pods' names if they have none, that are gone: none that has come while they were listed. */
async function goneOwners(
  loadTest: LoadTest | null,
  workers: readonly Observed<Pod>[],
  getLoadTest: () => Promise<LoadTest | null>,
): Promise<ReadonlySet<string>> {
  const strangers = (of: LoadTest | null) => workers.filter((pod) => of === null || ownerUid(pod) !== of.metadata.uid);
  const gone = strangers(loadTest).length === 0 ? [] : strangers(await getLoadTest());
  return new Set(gone.map((pod) => ownerUid(pod) ?? objectName(pod)));
}

async function listNamed(client: KubeClient, { namespace, name }: Required<ObjectKey>): Promise<Observed<Pod>[]> {
  const { items } = await client.list(pods, { namespace, labelSelector: `${loadTestLabel}=${name}` });
  return items.filter(isWorkerPod);
}

/** Of Pods that take long to start; none where this program may not know. */
async function observeWarnings(
  client: KubeClient,
  workers: readonly Observed<Pod>[],
  log: Log,
): Promise<ReadonlyMap<string, PodWarning>> {
  const asked = workers.filter((pod) => isLongStarting(pod, nowMs())).slice(0, mostAskedAfter);
  try {
    const found = await Promise.all(asked.map((pod) => newestWarning(client, pod)));
    return new Map(asked.flatMap(({ metadata }, index) => (found[index] ? [[metadata.uid, found[index]]] : [])));
  } catch (error: unknown) {
    if (!isForbidden(error)) throw error;
    log.debug({ error: error.message }, "cannot read Events");
    return new Map();
  }
}

type Target = Pick<World, "canaries" | "services">;
const none: Target = { canaries: new Map(), services: new Map() };

/** The Canary that it names, and the Services if it is about to get Pods or to send elsewhere, or may be. */
async function observeTarget(
  client: KubeClient,
  loadTest: LoadTest,
  workers: readonly Observed<Pod>[],
  options: PlanOptions,
  getService: (key: Required<ObjectKey>) => Promise<Observed<Service> | null>,
): Promise<Target> {
  const spec = runnableSpec(loadTest, options);
  if (spec === undefined) return none;
  const { namespace } = loadTest.metadata;
  const canary =
    spec.canary === undefined ? undefined : await getOrNull(client, canaries, { namespace, name: spec.canary });
  const known = new Map<string, Canary | null>(canary === undefined ? [] : [[`${namespace}/${spec.canary}`, canary]]);
  const own = workersOf(loadTest, workers);
  const isSettled =
    canary === undefined &&
    !mayLackPods(loadTest, spec, own) &&
    !isUntried(own, spec, serviceBackends(spec, canary, namespace));
  if (isSettled) return { canaries: known, services: new Map() };
  const names = serviceShares(spec, canary?.spec).map(({ service }) => service);
  const entries = names.map(
    async (name): Promise<[string, Observed<Service> | null]> => [
      `${namespace}/${name}`,
      await getService({ namespace, name }),
    ],
  );
  return { canaries: known, services: new Map(await Promise.all(entries)) };
}

/** Of its present run. */
function workersOf(loadTest: LoadTest, named: readonly Observed<Pod>[]): Worker[] {
  const run = presentRun(loadTest);
  return named.filter((pod) => ownerUid(pod) === loadTest.metadata.uid && isOf(pod, run)).map((pod) => workerOf(pod));
}

/** What the API server, its quotas and its policies say of the Pods that a LoadTest with a podTemplate is about to get. */
async function observeTrial(
  client: KubeClient,
  loadTest: LoadTest,
  workers: readonly Observed<Pod>[],
  target: Target,
  options: PlanOptions,
  log: Log,
): Promise<Pick<World, "podRefusals">> {
  const { uid, namespace } = loadTest.metadata;
  const spec = runnableSpec(loadTest, options);
  if (spec === undefined || !isPodUntried(workersOf(loadTest, workers), spec, knownSeats(loadTest, spec))) return {};
  const canary = target.canaries.get(`${namespace}/${spec.canary}`)?.spec;
  if (judgeTarget(spec, canary, namespace, target.services).refusal !== undefined) return {}; // none is made anyway
  const pod = trialPod(loadTest, spec, options.workerImage);
  if (pod === undefined) return {};
  try {
    await client.create(pods, pod, { dryRun: true });
    return {};
  } catch (error: unknown) {
    const isAnswer = error instanceof ApiError && error.code < 500 && error.code !== 429;
    if (isAnswer) return isPodRefusal(error) ? { podRefusals: new Map([[uid, error.said]]) } : {};
    log.warn({ loadTest: objectName(loadTest), error: (error as Error).message }, "cannot try a Pod");
    return { podRefusals: new Map([[uid, null]]) };
  }
}

async function getOrNull<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  key: ObjectKey,
): Promise<Observed<T> | null> {
  return (await find(client, resource, key)) ?? null;
}
