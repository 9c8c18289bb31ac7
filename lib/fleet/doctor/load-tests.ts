// LoadTests that nobody looks after, objects that do not go though they are deleted, workers without a LoadTest, and
// workers that do not work.
import { type Finding, failure, ok, warning } from "../../cert/finding.ts";
import type { KubeClient } from "../../kube/client.ts";
import { canaries, loadtestresults, loadtests, pods } from "../../kube/resource.ts";
import type { LoadTest } from "../../loadtest/load-test.ts";
import { loadTestLabel } from "../../plan/names.ts";
import type { KubeObject, Pod } from "../../plan/objects.ts";
import { isComplete } from "../../plan/run.ts";
import { troubleOf } from "../../plan/trouble.ts";
import { isWorkerPod, objectName, ownerUid } from "../../plan/world.ts";
import { count, several, span } from "./words.ts";

/** A controller looks at a new LoadTest within a second. */
const unseenMs = 60_000;
/** Longer than a node and the garbage collector take. */
const stuckMs = 5 * 60_000;
/** The controller ends them within two of its polls. */
const orphanMs = 5 * 60_000;

export interface Objects {
  /** Absent: of all. */
  namespace?: string;
  loadTests: readonly (LoadTest & KubeObject)[];
  others: readonly KubeObject[];
  workers: readonly Pod[];
}

/**
 * Of all namespaces, or of one. Pods are listed before LoadTests: of those that are made meanwhile, no LoadTest is missing.
 */
export async function listObjects(client: KubeClient, namespace: string | undefined): Promise<Objects> {
  const scope = namespace === undefined ? {} : { namespace };
  const podList = await client.list(pods, { ...scope, labelSelector: loadTestLabel });
  const [loadTestList, canaryList, resultList] = await Promise.all([
    client.list(loadtests, scope),
    client.list(canaries, scope),
    client.list(loadtestresults, scope),
  ]);
  return {
    ...scope,
    loadTests: loadTestList.items,
    others: [...canaryList.items, ...resultList.items],
    workers: podList.items.filter(isWorkerPod),
  };
}

/** @param hasController Whether there is one that should look after LoadTests. */
export function judgeObjects(objects: Objects, hasController: boolean, nowMs: number): Finding[] {
  return [
    judgeAttention(objects.loadTests, hasController, nowMs),
    judgeLeaving([...objects.loadTests, ...objects.others, ...objects.workers], nowMs),
    judgeOrphans(objects, nowMs),
    judgeWorkers(objects),
  ];
}

export function judgeAttention(loadTests: Objects["loadTests"], hasController: boolean, nowMs: number): Finding {
  const subject = "LoadTests";
  const unseen = loadTests.filter(
    ({ metadata, status }) =>
      status?.observedGeneration === undefined && nowMs - Date.parse(metadata.creationTimestamp ?? "") > unseenMs,
  );
  if (unseen.length === 0)
    return ok(subject, loadTests.length === 0 ? "none" : `${loadTests.length}, all looked after`);
  const message = `${unseen.length} of ${loadTests.length} that no controller has looked at: ${several(unseen.map(objectName))}`;
  return hasController
    ? failure(subject, message, "see the Lease and the logs of the controller, and which namespaces it is for")
    : failure(subject, message, "loadtest install");
}

export function judgeLeaving(all: readonly KubeObject[], nowMs: number): Finding {
  const subject = "deletions";
  const stuck = all.flatMap((object) => {
    const { deletionTimestamp, finalizers = [] } = object.metadata;
    const sinceMs = nowMs - Date.parse(deletionTimestamp ?? "");
    if (!(sinceMs > stuckMs)) return [];
    const waits = finalizers.length > 0 ? `for finalizer ${finalizers.join(", ")}` : "for its node";
    return [
      `${object.kind} ${objectName(object as Parameters<typeof objectName>[0])} waits ${waits} since ${span(sinceMs)}`,
    ];
  });
  if (stuck.length === 0) return ok(subject, "none that is stuck");
  const remedy = "see that whoever set the finalizer runs; a Pod goes when its node answers or is removed";
  return failure(subject, several(stuck), remedy);
}

export function judgeOrphans({ loadTests, workers }: Objects, nowMs: number): Finding {
  const subject = "orphaned workers";
  const owners = new Set(loadTests.map(({ metadata }) => metadata.uid));
  const orphans = workers.filter((pod) => !owners.has(ownerUid(pod) ?? "") && !pod.metadata.deletionTimestamp);
  if (orphans.length === 0) return ok(subject, "none");
  const message = `${count(orphans.length, "worker")} whose LoadTest is gone: ${several(orphans.map(objectName as (pod: Pod) => string))}`;
  const isOld = orphans.some(({ metadata }) => nowMs - Date.parse(metadata.creationTimestamp ?? "") > orphanMs);
  return isOld
    ? failure(subject, message, "see that a controller runs, which ends them; else delete these Pods")
    : warning(subject, message, "look again in a minute: the controller ends them");
}

/** Of runs that have ended, what failed is told in their results. */
export function judgeWorkers({ loadTests, workers }: Objects): Finding {
  const subject = "workers";
  const running = new Set(loadTests.filter((each) => !isComplete(each)).map(({ metadata }) => metadata.uid));
  const present = workers.filter((pod) => running.has(ownerUid(pod) ?? "") && !pod.metadata.deletionTimestamp);
  const trouble = troubleOf(present);
  if (trouble === undefined) {
    return ok(subject, present.length === 0 ? "none" : `${count(present.length, "Pod")}, none in trouble`);
  }
  return warning(subject, `${trouble.reason}: ${trouble.message}`, "loadtest status NAME -n NAMESPACE says more");
}
