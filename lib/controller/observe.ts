// The cluster as it is now, in as few calls as the planner needs: one list per kind, and single GETs only for what
// decides about making or deleting Pods.
import { isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { canaries, loadtests, type ObjectKey, pods, type Resource, services } from "../kube/resource.ts";
import type { Canary } from "../loadtest/canary.ts";
import type { EffectiveSpec } from "../loadtest/defaults.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import { serviceShares } from "../plan/compile.ts";
import { loadTestLabel } from "../plan/names.ts";
import type { KubeObject, Observed, Pod, Service } from "../plan/objects.ts";
import { runnableSpec } from "../plan/plan.ts";
import { isWorkerPod, objectName, ownerUid, type PlanOptions, type World } from "../plan/world.ts";

/** Observes all namespaces, or one. */
export async function observe(client: KubeClient, options: PlanOptions, scope: { namespace?: string }): Promise<World> {
  const [loadTestList, podList] = await Promise.all([
    client.list(loadtests, scope),
    client.list(pods, { ...scope, labelSelector: loadTestLabel }),
  ]);
  const loadTests = loadTestList.items as unknown as LoadTest[];
  const workers = podList.items.filter(isWorkerPod);
  const runnable = findRunnable(loadTests, options);
  const [found, goneOwners] = await Promise.all([
    findCanaries(client, runnable).then(async (canaries) => ({
      canaries,
      services: await findServices(client, runnable, workers, canaries),
    })),
    findGoneOwners(client, loadTests, workers),
  ]);
  return { loadTests, pods: workers, ...found, goneOwners };
}

interface Runnable {
  uid: string;
  namespace: string;
  spec: EffectiveSpec;
}

function findRunnable(loadTests: readonly LoadTest[], options: PlanOptions): Runnable[] {
  return loadTests.flatMap((loadTest) => {
    const spec = runnableSpec(loadTest, options);
    const { uid, namespace } = loadTest.metadata;
    return spec === undefined ? [] : [{ uid, namespace, spec }];
  });
}

function findCanaries(client: KubeClient, runnable: readonly Runnable[]): Promise<Map<string, Canary | null>> {
  const keys = runnable.flatMap(({ namespace, spec }) =>
    spec.canary === undefined ? [] : [{ namespace, name: spec.canary }],
  );
  return getAll(client, canaries, keys);
}

/** Only a LoadTest that is about to get Pods needs its Services. */
function findServices(
  client: KubeClient,
  runnable: readonly Runnable[],
  observedPods: readonly Observed<Pod>[],
  knownCanaries: ReadonlyMap<string, Canary | null>,
): Promise<Map<string, Observed<Service> | null>> {
  const podsByOwner = Map.groupBy(observedPods, (pod) => ownerUid(pod) ?? "");
  const keys = runnable
    .filter(({ uid, spec }) => (podsByOwner.get(uid) ?? []).length < spec.workers)
    .flatMap(({ namespace, spec }) => {
      const canary = knownCanaries.get(`${namespace}/${spec.canary}`);
      return serviceShares(spec, canary?.spec).map(({ service }) => ({ namespace, name: service }));
    });
  return getAll(client, services, keys);
}

/** The objects of these keys by `namespace/name`, each asked for once; null: there is none. */
async function getAll<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  keys: readonly { namespace: string; name: string }[],
): Promise<Map<string, Observed<T> | null>> {
  const wanted = new Map(keys.map((key) => [`${key.namespace}/${key.name}`, key]));
  return new Map(
    await Promise.all([...wanted].map(async ([name, key]) => [name, await getOrNull(client, resource, key)] as const)),
  );
}

/** Pods whose owner is not in the list: the owner may be younger than the list, so it is looked for by name, live. */
async function findGoneOwners(
  client: KubeClient,
  loadTests: readonly LoadTest[],
  observedPods: readonly Observed<Pod>[],
): Promise<Set<string>> {
  const known = new Set(loadTests.map(({ metadata }) => metadata.uid));
  const gone = new Set<string>();
  for (const pod of observedPods) {
    const uid = ownerUid(pod);
    if (uid !== undefined && (known.has(uid) || gone.has(uid))) continue;
    const { namespace = "", labels = {} } = pod.metadata;
    const owner = await getOrNull(client, loadtests, { namespace, name: labels[loadTestLabel] as string });
    if (owner === null || owner.metadata.uid !== uid) gone.add(uid ?? objectName(pod));
  }
  return gone;
}

async function getOrNull<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  key: ObjectKey,
): Promise<Observed<T> | null> {
  try {
    return await client.get(resource, key);
  } catch (error: unknown) {
    if (isNotFound(error)) return null;
    throw error;
  }
}
