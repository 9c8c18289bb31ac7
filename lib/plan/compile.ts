// A load → the plans of its workers. Pods and local processes run the same plans.
import type { Origin } from "../load/request.ts";
import type { WorkerPlan } from "../load/worker-plan.ts";
import type { EffectiveSpec } from "../loadtest/defaults.ts";

/** The load itself, wherever it goes and whoever makes it. */
export type Load = Pick<
  EffectiveSpec,
  "paths" | "requestsPerSecond" | "durationNs" | "workers" | "connections" | "timeoutNs"
>;

/** Where the load goes. */
export type Destination = Pick<WorkerPlan, "origin" | "caFiles" | "insecure"> & Partial<Pick<WorkerPlan, "connectTo">>;

export interface CompileOptions {
  generation: number;
  pacing: WorkerPlan["pacing"];
}

/** One plan for each worker; together they send exactly the load. Several workers wait for a common start. */
export function compileWorkerPlans(load: Load, destination: Destination, options: CompileOptions): WorkerPlan[] {
  return Array.from({ length: load.workers }, (_, index) => ({
    generation: options.generation,
    worker: { index, count: load.workers },
    ...destination,
    paths: [...load.paths],
    requestsPerSecond: load.requestsPerSecond,
    ...(load.durationNs === undefined ? {} : { durationNs: load.durationNs }),
    connections: load.connections,
    timeoutNs: load.timeoutNs,
    pacing: options.pacing,
    barrier: load.workers > 1,
  }));
}

/** How requests name the Service: the name that its certificate must be for. */
export function serviceOrigin(spec: Pick<EffectiveSpec, "scheme" | "service" | "port">, namespace: string): Origin {
  return { scheme: spec.scheme, host: `${spec.service}.${namespace}.svc`, port: spec.port };
}
