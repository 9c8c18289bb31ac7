// What has been observed of the cluster, and what is to be done about it: the planner's input and output.
import type { Canary } from "../loadtest/canary.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import type { DepartedWorker, LoadTestResult } from "../loadtest/load-test-result.ts";
import type { LoadTestStatus } from "../loadtest/load-test-status.ts";
import { attemptLabel, loadTestLabel, planAnnotation, runLabel, workerLabel } from "./names.ts";
import type { KubeObject, Observed, Pod, Service } from "./objects.ts";
import type { StoredResult } from "./run-result.ts";
import type { PodWarning, RefusedCreation } from "./trouble.ts";
import type { Cause } from "./vacancies.ts";
import type { WorkerReport } from "./worker-report.ts";

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
  /** What workers last said, by the uid of their Pod, as far as it was read. */
  reports?: ReadonlyMap<string, WorkerReport>;
  /** What the kubelet says of Pods that have long been about to start, by their uid. */
  podWarnings?: ReadonlyMap<string, PodWarning> | undefined;
  /** Pods that the API server has refused to make just now, in this very pass. */
  refusedCreations?: readonly RefusedCreation[] | undefined;
  /** What the API server said when it refused a trial Pod, by uid of the LoadTest, as far as it was asked; null: nothing. */
  podRefusals?: ReadonlyMap<string, string | null>;
  /** LoadTestResults by the LoadTest's uid, as far as they were looked for: they are to be written. null: there is none. */
  results?: ReadonlyMap<string, StoredResult | null>;
  /** What workers told whose Pods may be gone, as the LoadTestResult last said; by the LoadTest's uid, if it is known. */
  departed?: ReadonlyMap<string, readonly DepartedWorker[]>;
  /** When the status of LoadTests was last written, by their uid, as far as it is remembered. */
  statusWrittenAtMs?: ReadonlyMap<string, number>;
}

export interface PlanOptions {
  /** Runs in worker Pods. */
  workerImage: string;
  /** No LoadTest may ask for more requests per second. */
  maxRequestsPerSecond: number;
}

export type Action =
  | { kind: "createPod"; pod: Pod; cause: Cause | "relief" }
  | { kind: "deletePod"; namespace: string; name: string; uid: string; reason: string }
  /**
   * Tells a worker its start, another share, other rates or requests, or its end, unless another plan has come meanwhile;
   * the former plan once more, if the worker goes on by an older one.
   */
  | { kind: "setPlan"; namespace: string; name: string; uid: string; former: string; plan: string; told: string }
  /** `isEarly`: the status does not say yet when the run began, and has to before. */
  | { kind: "writeResult"; namespace: string; name: string; result: LoadTestResult; isEarly: boolean }
  /** Both at best: no LoadTest waits for its Service. */
  | { kind: "createService"; service: Service }
  | { kind: "deleteService"; namespace: string; name: string; ownerUid: string }
  /** `version`: that of the LoadTest as it was read; what is found of it is true of no other. */
  | { kind: "patchStatus"; namespace: string; name: string; uid: string; version: string; status: LoadTestStatus }
  | { kind: "deleteLoadTest"; namespace: string; name: string; uid: string; version: string; reason: string };

/** `namespace/name`. */
export function objectName({ metadata }: { metadata: { namespace?: string; name: string } }): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** Whether a Pod is a worker's: others may carry one of the labels, and are not ours to touch. */
export function isWorkerPod(pod: Pod): boolean {
  const { name, labels = {}, annotations = {} } = pod.metadata;
  const parts = [loadTestLabel, runLabel, workerLabel].map((label) => labels[label]);
  const derivedName = [...parts, ...(labels[attemptLabel] === undefined ? [] : [labels[attemptLabel]])].join("-");
  return name === derivedName && planAnnotation in annotations;
}

/** The uid of the LoadTest that owns an object; undefined when none does. */
export function ownerUid({ metadata }: KubeObject): string | undefined {
  return metadata.ownerReferences?.find(({ kind, controller }) => kind === "LoadTest" && controller)?.uid;
}
