// What has been observed of the cluster, and what is to be done about it: the planner's input and output.
import type { Canary } from "../loadtest/canary.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import type { LoadTestStatus } from "../loadtest/load-test-status.ts";
import { loadTestLabel, planAnnotation, runLabel, workerLabel } from "./names.ts";
import type { Observed, Pod, Service } from "./objects.ts";

export interface World {
  loadTests: readonly LoadTest[];
  /** The worker Pods of all LoadTests. */
  pods: readonly Observed<Pod>[];
  /** Canaries by `namespace/name`, as far as LoadTests name them; null: there is none. */
  canaries: ReadonlyMap<string, Canary | null>;
  /** Target Services by `namespace/name`, as far as they were looked for; null: there is none. */
  services: ReadonlyMap<string, Observed<Service> | null>;
  /** Uids of owners that a live GET has found to be gone; only their Pods are orphans. */
  goneOwners: ReadonlySet<string>;
}

export interface PlanOptions {
  /** Runs in worker Pods. */
  workerImage: string;
  /** No LoadTest may ask for more requests per second. */
  maxRequestsPerSecond: number;
}

export type Action =
  | { kind: "createPod"; pod: Pod }
  | { kind: "deletePod"; namespace: string; name: string; uid: string; reason: string }
  /** Tells several workers when to begin. */
  | { kind: "setPlan"; namespace: string; name: string; uid: string; plan: string }
  | { kind: "patchStatus"; namespace: string; name: string; uid: string; status: LoadTestStatus };

/** `namespace/name`. */
export function objectName({ metadata }: { metadata: { namespace?: string; name: string } }): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** Whether a Pod is a worker's: others may carry one of the labels, and are not ours to touch. */
export function isWorkerPod(pod: Pod): boolean {
  const { name, labels = {}, annotations = {} } = pod.metadata;
  const derivedName = [loadTestLabel, runLabel, workerLabel].map((label) => labels[label]).join("-");
  return name === derivedName && planAnnotation in annotations;
}

/** The uid of the LoadTest that owns a Pod; undefined when none does. */
export function ownerUid(pod: Pod): string | undefined {
  return pod.metadata.ownerReferences?.find(({ kind, controller }) => kind === "LoadTest" && controller)?.uid;
}
