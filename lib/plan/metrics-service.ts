// A headless Service over the workers of a LoadTest, by which Prometheus finds their metrics. Nothing depends on it, so
// it is tried to make and to delete once: at the latest it goes with the LoadTest, its owner.
import { apiVersion } from "../loadtest/api-group.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import { loadTestLabel, runHash } from "./names.ts";
import type { Service } from "./objects.ts";
import { isComplete } from "./run.ts";
import type { Action } from "./world.ts";

/** Where workers serve `/metrics`. */
export const workerMetricsPort = 9090;

/** On worker Pods and on their Services. */
export const workerLabels = { "app.kubernetes.io/name": "loadtest", "app.kubernetes.io/component": "worker" };

/**
 * `lt-my-loadtest-0f3a92bc`: no user's Service by the hash, and an RFC 1035 label, which begins with a letter, whatever
 * the LoadTest's name begins with.
 */
export function metricsServiceName(loadTest: string, uid: string): string {
  return `lt-${loadTest}-${runHash(uid, "")}`;
}

/** Without an address of its own, and with the workers that are not ready yet: they have metrics as well. */
export function desiredMetricsService({ metadata: { name, namespace, uid } }: LoadTest): Service {
  const labels = { ...workerLabels, [loadTestLabel]: name };
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: metricsServiceName(name, uid),
      namespace,
      labels,
      ownerReferences: [{ apiVersion, kind: "LoadTest", name, uid, controller: true }],
    },
    spec: {
      clusterIP: "None",
      publishNotReadyAddresses: true,
      selector: labels,
      ports: [{ name: "metrics", port: workerMetricsPort }],
    },
  };
}

/**
 * What becomes of the Service by what is about to become of its LoadTest: made when its load begins, so that tests which
 * wait cost nothing, and deleted when it ends.
 */
export function metricsServiceActions(loadTest: LoadTest, actions: readonly Action[]): Action[] {
  const { namespace, name, uid } = loadTest.metadata;
  const status = actions.find((action) => action.kind === "patchStatus")?.status;
  if (status === undefined) return [];
  if (isComplete({ ...loadTest, status })) {
    if (isComplete(loadTest)) return [];
    return [{ kind: "deleteService", namespace, name: metricsServiceName(name, uid), ownerUid: uid }];
  }
  const hasBegun = status.startTime !== undefined && status.startTime !== loadTest.status?.startTime;
  return hasBegun ? [{ kind: "createService", service: desiredMetricsService(loadTest) }] : [];
}
