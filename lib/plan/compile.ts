// A load → the plans of its workers. Pods and local processes run the same plans.
import type { Origin } from "../load/request.ts";
import type { PlannedRequest, WorkerPlan } from "../load/worker-plan.ts";
import type { EffectiveRequest, EffectiveSpec } from "../loadtest/defaults.ts";

/** The load itself, wherever it goes and whoever makes it. */
export interface Load
  extends Pick<
    EffectiveSpec,
    "durationNs" | "stages" | "arrivals" | "workers" | "connections" | "connectionLifetimeNs" | "timeoutNs"
  > {
  requestsPerSecond: WorkerPlan["requestsPerSecond"];
  requests: readonly LoadRequest[];
}

/** A request whose values may stand in files of the worker. */
export interface LoadRequest extends Omit<EffectiveRequest, "headers"> {
  headers: readonly PlannedRequest["headers"][number][];
  bodyFile?: string;
}

/** Where the load goes. */
export interface Destination {
  origin: Origin;
  /** Where to connect instead of the origin's host and port. */
  connectTo?: { host: string; port: number };
  tls: WorkerPlan["tls"];
}

export interface CompileOptions {
  generation: number;
  pacing: WorkerPlan["pacing"];
  /** Of Poisson arrivals. */
  seed: number;
}

/** One plan for each worker; together they send exactly the load. Several workers wait for a common start. */
export function compileWorkerPlans(load: Load, destination: Destination, options: CompileOptions): WorkerPlan[] {
  const { origin, connectTo, tls } = destination;
  return Array.from({ length: load.workers }, (_, index) => ({
    generation: options.generation,
    worker: { index, count: load.workers },
    backends: [{ name: origin.host, percent: 100, origin, ...(connectTo === undefined ? {} : { connectTo }) }],
    tls,
    requests: load.requests.map(plannedRequest),
    requestsPerSecond: load.requestsPerSecond,
    ...(load.stages === undefined ? optional("durationNs", load.durationNs) : { stages: [...load.stages] }),
    arrivals: load.arrivals,
    seed: options.seed,
    connections: load.connections,
    ...optional("connectionLifetimeNs", load.connectionLifetimeNs),
    timeoutNs: load.timeoutNs,
    pacing: options.pacing,
    barrier: load.workers > 1,
  }));
}

function plannedRequest(request: LoadRequest): PlannedRequest {
  const { method, path, headers, body, bodyFile, weight, expectStatus } = request;
  return {
    method,
    path,
    headers: [...headers],
    ...optional("body", body),
    ...optional("bodyFile", bodyFile),
    weight,
    ...(expectStatus === undefined ? {} : { expectStatus: [...expectStatus] }),
  };
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined): { [name in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [name in Name]: Value });
}

/** How results call a request: its path, and its method where that is not GET. */
export function requestName({ method, path }: { method: string; path: string }): string {
  return method === "GET" ? path : `${method} ${path}`;
}

/** How requests name the Service: the name that its certificate must be for. */
export function serviceOrigin(spec: Pick<EffectiveSpec, "scheme" | "service" | "port">, namespace: string): Origin {
  return { scheme: spec.scheme, host: `${spec.service}.${namespace}.svc`, port: spec.port };
}
