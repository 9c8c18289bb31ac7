// A cluster in a few lines: what API server, kubelet and garbage collector would make of the planner's actions.
import { planHash, type WorkerPlan } from "../../lib/load/worker-plan.ts";
import type { LoadTest, LoadTestSpec } from "../../lib/loadtest/load-test.ts";
import { planAnnotation, toldAnnotation } from "../../lib/plan/names.ts";
import type { ObjectMeta, Observed, Pod, Service } from "../../lib/plan/objects.ts";
import { plan } from "../../lib/plan/plan.ts";
import type { WorkerReport } from "../../lib/plan/worker-report.ts";
import { type Action, objectName, type World } from "../../lib/plan/world.ts";
import { encodeHistogram } from "../../lib/stats/histogram-codec.ts";
import type { SnapshotLine } from "../../lib/stats/line.ts";
import { areAnnotationsTooLong } from "../model/annotations.ts";
import { completed } from "../stats/worker-recordings.ts";

export const options = { workerImage: "loadtest:test", maxRequestsPerSecond: 100_000 };
export const nowMs = Date.UTC(2030, 0, 1);

export const service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "ns" },
  spec: { type: "ClusterIP", ports: [{ port: 443 }, { port: 80 }] },
} as Observed<Service>;

export function loadTest(spec: Partial<LoadTestSpec> = {}): LoadTest {
  return {
    metadata: {
      name: "lt",
      namespace: "ns",
      uid: "u1",
      generation: 1,
      resourceVersion: "1",
      creationTimestamp: "2030-01-01T00:00:00Z",
    },
    spec: { service: "web", scheme: "https", requestsPerSecond: 1000, ...spec },
  };
}

export function world(
  loadTests: LoadTest[],
  pods: Observed<Pod>[] = [],
  found: Observed<Service> | null = service,
): World {
  return {
    loadTests,
    pods,
    canaries: new Map(),
    services: new Map([["ns/web", found]]),
    goneOwners: new Set(),
  };
}

export const kinds = (actions: readonly Action[]) => actions.map(({ kind }) => kind);
export const statusIn = (actions: readonly Action[]) =>
  actions.flatMap((a) => (a.kind === "patchStatus" ? [a.status] : []))[0];
export const created = (actions: readonly Action[]) => actions.flatMap((a) => (a.kind === "createPod" ? [a.pod] : []));
export const planOf = (pod: Pod) => JSON.parse(pod.metadata.annotations?.[planAnnotation] as string) as WorkerPlan;
export const conditionIn = (test: LoadTest, type: string) => test.status?.conditions?.find((one) => one.type === type);

export function running(startedAt = "2030-01-01T00:00:00Z") {
  return { name: "worker", ready: true, restartCount: 0, state: { running: { startedAt } } };
}

/** What a worker says that follows this plan. */
function reportOf(text: string): WorkerReport {
  const plan = planHash(text);
  const { barrier, startAtMs = barrier ? undefined : nowMs } = JSON.parse(text) as WorkerPlan;
  return { plan, ...(startAtMs === undefined ? {} : { snapshot: snapshotSince(startAtMs, plan) }) };
}

function snapshotSince(startedAtMs: number, plan: string): SnapshotLine {
  const { account, latency } = completed([]);
  return {
    kind: "snapshot",
    worker: 0,
    plan,
    startedAtMs,
    elapsedSeconds: 1,
    account,
    latency: encodeHistogram(latency),
  };
}

function checkAnnotations(annotations: ObjectMeta["annotations"] = {}): void {
  if (areAnnotationsTooLong(annotations)) throw new Error("metadata.annotations: Too long");
}

export class Cluster {
  readonly test: LoadTest;
  pods: Observed<Pod>[] = [];
  nowMs = nowMs;
  /** Texts of plans that workers have read, by uid: what they do. */
  readonly followed = new Map<string, string>();
  services: Map<string, Observed<Service> | null> = new Map([["ns/web", service]]);
  #uids = 0;

  constructor(test: LoadTest) {
    this.test = test;
  }

  /** What a look at it would show, with what its workers say. */
  world(): World {
    return { ...world([this.test], this.pods), services: this.services, reports: this.reports() };
  }

  reports(): Map<string, WorkerReport> {
    return new Map([...this.followed].map(([uid, text]) => [uid, reportOf(text)]));
  }

  plan(): Action[] {
    return plan(this.world(), options, this.nowMs);
  }

  /** Plans and does so. */
  pass(): Action[] {
    const actions = this.plan();
    this.apply(actions);
    return actions;
  }

  edit(spec: Partial<LoadTestSpec>): void {
    this.test.spec = { ...this.test.spec, ...spec };
    this.test.metadata.generation++;
  }

  apply(actions: readonly Action[]): void {
    for (const action of actions) {
      switch (action.kind) {
        case "createPod": {
          if (this.pods.some((pod) => objectName(pod) === objectName(action.pod))) throw new Error("AlreadyExists");
          const metadata = {
            ...action.pod.metadata,
            uid: `p${this.#uids++}`,
            creationTimestamp: new Date(this.nowMs).toISOString(),
          };
          checkAnnotations(metadata.annotations);
          this.pods.push(structuredClone({ ...action.pod, metadata }) as Observed<Pod>);
          break;
        }
        case "deletePod":
          for (const pod of this.pods)
            if (pod.metadata.uid === action.uid) pod.metadata.deletionTimestamp = "2030-01-01T00:00:00Z";
          break;
        case "setPlan":
          for (const pod of this.pods) {
            if (pod.metadata.uid === action.uid)
              Object.assign(pod.metadata.annotations ?? {}, {
                [planAnnotation]: action.plan,
                [toldAnnotation]: action.told,
              });
            checkAnnotations(pod.metadata.annotations);
          }
          break;
        case "patchStatus":
          this.test.status = JSON.parse(JSON.stringify(action.status));
      }
    }
  }

  /** Starts Pods, shows workers their plans, ends those that are told to, and takes deleted Pods away. */
  settle(): void {
    this.pods = this.pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
    for (const pod of this.pods) this.start(pod);
    for (const pod of this.pods) this.deliver(pod);
  }

  start(pod: Observed<Pod>): void {
    pod.status ??= { phase: "Running", containerStatuses: [running()] };
  }

  /** The kubelet shows the worker its plan. */
  deliver(pod: Observed<Pod>): void {
    if (pod.status?.phase !== "Running") return;
    this.followed.set(pod.metadata.uid, pod.metadata.annotations?.[planAnnotation] as string);
    if (planOf(pod).stop) this.end(pod, "Succeeded");
  }

  end(pod: Observed<Pod>, phase: "Succeeded" | "Failed"): void {
    pod.status = { phase, containerStatuses: [] };
  }

  /** Passes until nothing is left to do. */
  converge(): void {
    for (let pass = 0; pass < 50; pass++) {
      this.settle();
      if (this.pass().length === 0) return;
      this.nowMs += 1000;
    }
    throw new Error(`still to do: ${JSON.stringify(this.plan())}`);
  }

  /** So many passes, a second apart, whether anything is left to do or not. */
  look(passes: number): void {
    for (let pass = 0; pass < passes; pass++) {
      this.settle();
      this.pass();
      this.nowMs += 1000;
    }
  }

  /** Those whose workers may send. */
  get live(): Observed<Pod>[] {
    return this.pods.filter(({ status }) => status?.phase !== "Succeeded" && status?.phase !== "Failed");
  }
}
