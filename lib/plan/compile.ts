// A load → the plans of its workers. Pods and local processes run the same plans.
import type { Origin } from "../load/request.ts";
import type { PlannedRequest, WorkerPlan } from "../load/worker-plan.ts";
import type { CanarySpec } from "../loadtest/canary.ts";
import type { EffectiveRequest, EffectiveSpec } from "../loadtest/defaults.ts";
import type { Script } from "./script.ts";

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
export type LoadRequest = EffectiveRequest;

/** One of those who share the requests, in turn by percent. */
export interface Backend {
  origin: Origin;
  /** Whole; those of all backends sum to 100. */
  percent: number;
}

/** Where the load goes. */
export interface Destination {
  backends: readonly Backend[];
  /** Where to connect instead of the origins' hosts and ports. */
  connectTo?: { host: string; port: number };
  tls: WorkerPlan["tls"];
}

export interface CompileOptions {
  generation: number;
  pacing: WorkerPlan["pacing"];
  /** Of Poisson arrivals. */
  seed: number;
}

/** What all workers of the load do. */
export function compileScript(
  load: Omit<Load, "workers">,
  { backends, connectTo, tls }: Destination,
  options: Omit<CompileOptions, "generation">,
): Script {
  return {
    backends: backends.map(({ origin, percent }) => ({
      name: origin.host,
      percent,
      origin,
      ...optional("connectTo", connectTo),
    })),
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
  };
}

/** One plan for each worker; together they send exactly the load. Several workers wait for a common start. */
export function compileWorkerPlans(load: Load, destination: Destination, options: CompileOptions): WorkerPlan[] {
  const script = compileScript(load, destination, options);
  return Array.from({ length: load.workers }, (_, index) => ({
    generation: options.generation,
    worker: { index, count: load.workers },
    ...script,
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

/** The Services of a spec, by their shares; `canary` is the one that the spec names, if it names one. Shares of 0 are left out. */
export function serviceShares(spec: EffectiveSpec, canary?: CanarySpec): { service: string; percent: number }[] {
  if (spec.service !== undefined) return [{ service: spec.service, percent: 100 }];
  return (canary?.backends ?? []).filter(({ percent }) => percent > 0);
}

/** How requests name a Service: the name that its certificate must be for. */
function serviceOrigin(spec: Pick<EffectiveSpec, "scheme" | "port">, service: string, namespace: string): Origin {
  return { scheme: spec.scheme, host: `${service}.${namespace}.svc`, port: spec.port };
}

export function serviceBackends(spec: EffectiveSpec, canary: CanarySpec | undefined, namespace: string): Backend[] {
  return serviceShares(spec, canary).map(({ service, percent }) => ({
    origin: serviceOrigin(spec, service, namespace),
    percent,
  }));
}
