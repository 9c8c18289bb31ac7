// The cluster as it is now, in as few calls as the planner needs: one list per kind, and single GETs only for what
// decides about making or deleting Pods.
import { isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { loadtests, type ObjectKey, pods, type Resource, services } from "../kube/resource.ts";
import { effectiveSpec } from "../loadtest/defaults.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import { loadTestLabel } from "../plan/names.ts";
import type { KubeObject, Observed, Pod, Service } from "../plan/objects.ts";
import { needsService } from "../plan/plan.ts";
import { isWorkerPod, objectName, ownerUid, type PlanOptions, type World } from "../plan/world.ts";

/** Observes all namespaces, or one. */
export async function observe(client: KubeClient, options: PlanOptions, scope: { namespace?: string }): Promise<World> {
  const [loadTestList, podList] = await Promise.all([
    client.list(loadtests, scope),
    client.list(pods, { ...scope, labelSelector: loadTestLabel }),
  ]);
  const loadTests = loadTestList.items as unknown as LoadTest[];
  const workers = podList.items.filter(isWorkerPod);
  const [found, goneOwners] = await Promise.all([
    findServices(client, loadTests, workers, options),
    findGoneOwners(client, loadTests, workers),
  ]);
  return { loadTests, pods: workers, services: found, goneOwners };
}

async function findServices(
  client: KubeClient,
  loadTests: readonly LoadTest[],
  observedPods: readonly Observed<Pod>[],
  options: PlanOptions,
): Promise<Map<string, Observed<Service> | null>> {
  const podsByOwner = Map.groupBy(observedPods, (pod) => ownerUid(pod) ?? "");
  const wanted = new Map<string, ObjectKey>();
  for (const loadTest of loadTests) {
    if (!needsService(loadTest, podsByOwner.get(loadTest.metadata.uid) ?? [], options)) continue;
    const key = { namespace: loadTest.metadata.namespace, name: effectiveSpec(loadTest.spec).service };
    wanted.set(`${key.namespace}/${key.name}`, key);
  }
  const entries = [...wanted].map(async ([name, key]) => [name, await getOrNull(client, services, key)] as const);
  return new Map(await Promise.all(entries));
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
