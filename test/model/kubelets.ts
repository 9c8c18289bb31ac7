// The nodes: a scheduler and a kubelet each, with Pods that are started, follow their annotations, end and are removed,
// all of it late by chance; and the processes themselves, which go on where no kubelet looks after them.
import { isDeepStrictEqual } from "node:util";
import { pods } from "../../lib/kube/resource.ts";
import { loadTestLabel, planAnnotation, runLabel } from "../../lib/plan/names.ts";
import type { ContainerState, ContainerStatus } from "../../lib/plan/objects.ts";
import type { ApiServer } from "./api-server.ts";
import type { Change, Stored } from "./store.ts";
import type { VirtualTime } from "./virtual-time.ts";
import { type Checkpoint, WorkerProcess } from "./worker-process.ts";

export interface Delays {
  readonly schedulingMs: () => number;
  readonly startingMs: () => number;
  readonly reportingMs: () => number;
  /** From a new annotation to its file in the Pod. */
  readonly deliveryMs: () => number;
  /** From a Pod's deletion to its signal. */
  readonly killingMs: () => number;
  readonly restartingMs: () => number;
}

export interface KubeletsOptions {
  readonly time: VirtualTime;
  readonly server: ApiServer;
  readonly nodes: number;
  readonly delays: Delays;
  /** Told of what happens to Pods and processes. */
  readonly happened: (what: string) => void;
  /** Told when a worker has been told a plan that it cannot follow, and ends with an error. */
  readonly broken: (words: string) => void;
}

/** A Pod on its node, from its binding until it is removed there. */
export interface NodePod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly node: number;
  readonly loadTest: string;
  /** Of the LoadTest that it was made for. */
  readonly owner: string | undefined;
  /** Hash of the run. */
  readonly run: string;
  process: WorkerProcess | undefined;
  /** Whose log can be read: the present process's, or the last one's. */
  logged: WorkerProcess | undefined;
  /** What the next process in the container goes on from. */
  checkpoint: Checkpoint | undefined;
  restarts: number;
  state: ContainerState;
  lastState: ContainerState | undefined;
  phase: "Pending" | "Running" | "Succeeded" | "Failed";
  reason: string | undefined;
  /** The annotation as last seen by the kubelet, and the version in which it was seen. */
  planText: string;
  planVersion: number;
}

type Node = "up" | "down" | "lost";

export class Kubelets {
  readonly #options: KubeletsOptions;
  readonly #pods = new Map<string, NodePod>();
  readonly #nodes: Node[];
  /** What waits for a kubelet to return, by node. */
  readonly #backlogs: (() => void)[][];
  /** So many changed annotations next to come are overlooked, by node. */
  readonly #overlooked: number[];
  /** Uids of the LoadTests whose workers have ever run. */
  readonly ranFor = new Set<string>();
  /** Requests that the workers of a run, by its hash, have completed in all, by their Pods' uids. */
  readonly completed = new Map<string, Map<string, number>>();
  /** When request 0 was due, by those workers of a run, by its hash, that have begun and ended. */
  readonly starts = new Map<string, Set<number>>();
  #next = 0;

  constructor(options: KubeletsOptions) {
    this.#options = options;
    this.#nodes = Array.from({ length: options.nodes }, () => "up");
    this.#backlogs = this.#nodes.map(() => []);
    this.#overlooked = this.#nodes.map(() => 0);
    options.server.store.listen((change) => this.#notice(change));
    options.server.podLogs = { read: (uid, tailLines) => this.#readLog(uid, tailLines) };
  }

  /** Those whose processes are alive. */
  *running(): Generator<NodePod & { process: WorkerProcess }> {
    for (const pod of this.#pods.values()) if (isAlive(pod)) yield pod;
  }

  /** Whether no node is out of reach. */
  get areReached(): boolean {
    return this.#nodes.every((node) => node === "up");
  }

  get(uid: string): NodePod | undefined {
    return this.#pods.get(uid);
  }

  /** The container is killed, and started again later. */
  crashContainer(pod: NodePod): void {
    if (!isAlive(pod)) return;
    this.#options.happened(`${pod.name}: container killed`);
    this.#terminate(pod, { exitCode: 137, reason: "OOMKilled" });
    this.#onNode(pod, this.#options.delays.restartingMs(), () => this.#restart(pod));
    this.#report(pod);
    this.#forgetIfDeleted(pod);
  }

  /** @param isGraceful Its process has the time to leave its result. */
  evict(pod: NodePod, isGraceful: boolean): void {
    if (pod.phase === "Succeeded" || pod.phase === "Failed") return;
    this.#options.happened(`${pod.name}: evicted`);
    if (isAlive(pod)) {
      const { process } = pod;
      const { nowMs } = this.#options.time;
      if (isGraceful) process.interrupt(nowMs);
      this.#terminate(
        pod,
        isGraceful ? { exitCode: process.exitCode, message: process.message(nowMs) } : { exitCode: 137 },
      );
    }
    Object.assign(pod, { phase: "Failed", reason: "Evicted" });
    this.#report(pod);
    this.#forgetIfDeleted(pod);
  }

  /** The kubelet is out of reach for a while; its processes run on. */
  lose(node: number, forMs: number): void {
    if (this.#nodes[node] !== "up") return;
    this.#options.happened(`node ${node}: out of reach for ${forMs} ms`);
    this.#nodes[node] = "down";
    this.#options.time.after(forMs, () => this.#return(node));
  }

  /** The kubelet does not show its Pods so many changes to come; another one shows all that has changed. */
  overlook(node: number, changes: number): void {
    this.#overlooked[node] = changes;
  }

  /** The node is no more: its processes end at once, its Pods are removed after a while, and another takes its place. */
  destroy(node: number, removalMs: number): void {
    if (this.#nodes[node] !== "up") return;
    const { time, happened } = this.#options;
    happened(`node ${node}: gone`);
    this.#nodes[node] = "lost";
    this.#backlogs[node] = [];
    for (const pod of this.#pods.values()) if (pod.node === node) this.#bury(pod);
    time.after(removalMs, () => {
      for (const pod of this.#pods.values()) {
        if (pod.node !== node) continue;
        this.#pods.delete(pod.uid);
        if (this.#stored(pod) !== undefined) this.#remove(pod);
      }
      this.#return(node);
    });
  }

  #return(node: number): void {
    this.#options.happened(`node ${node}: back`);
    this.#nodes[node] = "up";
    const backlog = this.#backlogs[node] as (() => void)[];
    for (const work of backlog.splice(0)) this.#options.time.after(this.#options.delays.reportingMs(), work);
  }

  #notice({ plural, object, before, isDeletion, version }: Change): void {
    if (plural !== pods.plural) return;
    const { time, delays } = this.#options;
    const pod = this.#pods.get(object.metadata.uid);
    if (isDeletion) {
      if (pod !== undefined) this.#onNode(pod, delays.killingMs(), () => this.#kill(pod));
    } else if (before === undefined) {
      time.after(delays.schedulingMs(), () => this.#bind(object));
    } else if (pod !== undefined) {
      const { annotations = {} } = object.metadata;
      if (!isDeepStrictEqual(annotations, before.metadata.annotations) && !this.#overlooks(pod)) {
        this.#onNode(pod, delays.deliveryMs(), () => this.#deliver(pod, annotations[planAnnotation] ?? "", version));
      }
      if (object.metadata.deletionTimestamp !== undefined && before.metadata.deletionTimestamp === undefined) {
        this.#onNode(pod, delays.killingMs(), () => this.#end(pod));
      }
    }
  }

  #overlooks({ name, node }: NodePod): boolean {
    const left = this.#overlooked[node] ?? 0;
    if (left === 0) return false;
    this.#overlooked[node] = left - 1;
    this.#options.happened(`${name}: a changed annotation is overlooked`);
    return true;
  }

  #bind({ metadata }: Stored): void {
    const { time, server, delays } = this.#options;
    const { namespace = "", name, uid } = metadata;
    const live = server.store.get(pods.plural, `${namespace}/${name}`);
    if (live?.metadata.uid !== uid) return;
    const node = this.#nodes.findIndex((_, index) => this.#nodes[(this.#next + index) % this.#nodes.length] === "up");
    if (node < 0) {
      time.after(delays.schedulingMs(), () => this.#bind(live));
      return;
    }
    const pod: NodePod = {
      namespace,
      name,
      uid,
      node: (this.#next++ + node) % this.#nodes.length,
      loadTest: live.metadata.labels?.[loadTestLabel] ?? "",
      run: live.metadata.labels?.[runLabel] ?? "",
      owner: live.metadata.ownerReferences?.[0]?.uid,
      process: undefined,
      logged: undefined,
      checkpoint: undefined,
      restarts: 0,
      state: { waiting: { reason: "ContainerCreating" } },
      lastState: undefined,
      phase: "Pending",
      reason: undefined,
      planText: live.metadata.annotations?.[planAnnotation] ?? "",
      planVersion: Number(live.metadata.resourceVersion),
    };
    this.#pods.set(uid, pod);
    server.store.put(pods.plural, `${namespace}/${name}`, {
      ...live,
      spec: { ...(live.spec as object), nodeName: `node-${pod.node}` },
    });
    this.#onNode(pod, delays.startingMs(), () => this.#start(pod));
  }

  #start(pod: NodePod): void {
    const stored = this.#stored(pod);
    if (stored === undefined || stored.metadata.deletionTimestamp !== undefined || pod.phase !== "Pending") return;
    this.#run(pod);
  }

  #restart(pod: NodePod): void {
    if (pod.process !== undefined || pod.phase !== "Running" || !this.#pods.has(pod.uid)) return;
    if (this.#stored(pod)?.metadata.deletionTimestamp !== undefined) return;
    pod.restarts++;
    this.#run(pod);
  }

  #run(pod: NodePod): void {
    const { time, happened } = this.#options;
    // A starting container sees the annotation as the kubelet does at that moment.
    pod.process = new WorkerProcess(pod.planText, time.nowMs, pod.checkpoint);
    pod.logged = pod.process;
    pod.phase = "Running";
    if (pod.owner !== undefined) this.ranFor.add(pod.owner);
    pod.state = { running: { startedAt: instant(time.nowMs) } };
    happened(`${pod.name}: runs, ${describe(pod.process)}`);
    this.#awaitEnd(pod);
    this.#report(pod);
  }

  #deliver(pod: NodePod, planText: string, version: number): void {
    if (version <= pod.planVersion) return;
    const isSame = pod.planText === planText;
    pod.planText = planText;
    pod.planVersion = version;
    if (!isAlive(pod) || isSame) return;
    const problem = pod.process.follow(planText, this.#options.time.nowMs);
    if (problem !== undefined) this.#options.broken(`${pod.name} cannot follow its plan: ${problem}`);
    this.#options.happened(`${pod.name}: follows ${describe(pod.process)}`);
    this.#awaitEnd(pod);
  }

  /** Lets the process end when its schedule does, by the plan that it has now. */
  #awaitEnd(pod: NodePod): void {
    const { time } = this.#options;
    const { process } = pod;
    const endsAtMs = process?.endsAtMs;
    if (endsAtMs === undefined) return;
    time.after(endsAtMs - time.nowMs, () => {
      if (pod.process !== process || process?.endsAtMs !== endsAtMs) return;
      const { exitCode } = process;
      this.#options.happened(`${pod.name}: ended`);
      this.#terminate(pod, { exitCode, message: process.message(time.nowMs) });
      pod.phase = exitCode === 0 ? "Succeeded" : "Failed";
      this.#report(pod);
      this.#forgetIfDeleted(pod);
    });
  }

  #terminate(pod: NodePod, ended: NonNullable<ContainerState["terminated"]>): void {
    pod.lastState = pod.state.terminated === undefined ? undefined : pod.state;
    const finishedAt = instant(this.#options.time.nowMs);
    const startedAt = pod.state.running?.startedAt;
    const before = { ...pod.state };
    pod.state = { terminated: { ...ended, finishedAt, ...(startedAt === undefined ? {} : { startedAt }) } };
    if (ended.exitCode !== 0 && before.running !== undefined) pod.lastState = pod.state;
    this.#bury(pod);
  }

  /** Its process is no more. */
  #bury(pod: NodePod): void {
    const { nowMs } = this.#options.time;
    const { process } = pod;
    if (process === undefined) return;
    pod.checkpoint = process.checkpoint(nowMs);
    const byPod = this.completed.get(pod.run) ?? new Map<string, number>();
    this.completed.set(pod.run, byPod.set(pod.uid, process.completed(nowMs)));
    if (process.hasBegun && process.startAtMs !== undefined) {
      this.starts.set(pod.run, (this.starts.get(pod.run) ?? new Set()).add(process.startAtMs));
    }
    process.end(nowMs);
    pod.process = undefined;
  }

  #readLog(uid: string, tailLines: number): string | undefined {
    const pod = this.#pods.get(uid);
    if (pod !== undefined && this.#nodes[pod.node] !== "up") throw new Error("dial tcp: i/o timeout");
    return pod?.logged?.log(this.#options.time.nowMs, tailLines);
  }

  /** The Pod is to be deleted: its process is told, and has its time. */
  #end(pod: NodePod): void {
    if (!isAlive(pod)) {
      this.#forget(pod);
      return;
    }
    this.#options.happened(`${pod.name}: told to end`);
    pod.process.interrupt(this.#options.time.nowMs);
    this.#awaitEnd(pod);
  }

  /** The Pod's object is gone without waiting for it. */
  #kill(pod: NodePod): void {
    if (pod.process !== undefined) this.#options.happened(`${pod.name}: killed`);
    this.#bury(pod);
    this.#pods.delete(pod.uid);
  }

  /** With its process ended, a deleted Pod goes. */
  #forgetIfDeleted(pod: NodePod): void {
    if (this.#stored(pod)?.metadata.deletionTimestamp !== undefined) this.#onNode(pod, 0, () => this.#forget(pod));
  }

  #forget(pod: NodePod): void {
    this.#pods.delete(pod.uid);
    if (this.#stored(pod) !== undefined) this.#remove(pod);
  }

  #remove({ namespace, name, uid }: NodePod): void {
    this.#options.server.delete(pods, { namespace, name }, { uid, gracePeriodSeconds: 0 });
    this.#options.happened(`${name}: removed`);
  }

  #report(pod: NodePod): void {
    this.#onNode(pod, this.#options.delays.reportingMs(), () => {
      if (this.#stored(pod) === undefined) return;
      const status: ContainerStatus = {
        name: "worker",
        ready: pod.state.running !== undefined,
        restartCount: pod.restarts,
        state: pod.state,
        ...(pod.lastState === undefined ? {} : { lastState: pod.lastState }),
      };
      const body = {
        metadata: { uid: pod.uid },
        status: { phase: pod.phase, containerStatuses: [status], ...(pod.reason && { reason: pod.reason }) },
      };
      const { namespace, name } = pod;
      this.#options.server.replaceStatus(pods, { namespace, name }, body.status);
    });
  }

  /** Does it after `delayMs`, or as soon as the node's kubelet is back. */
  #onNode(pod: NodePod, delayMs: number, work: () => void): void {
    this.#options.time.after(delayMs, () => {
      const state = this.#nodes[pod.node];
      if (!this.#pods.has(pod.uid)) return;
      if (state === "up") work();
      else if (state === "down") this.#backlogs[pod.node]?.push(work);
    });
  }

  #stored({ namespace, name, uid }: NodePod): Stored | undefined {
    const stored = this.#options.server.store.get(pods.plural, `${namespace}/${name}`);
    return stored?.metadata.uid === uid ? stored : undefined;
  }
}

function isAlive(pod: NodePod): pod is NodePod & { process: WorkerProcess } {
  return pod.process !== undefined;
}

function describe({ plan }: WorkerProcess): string {
  const { worker, requestsPerSecond, changes = [], startAtMs, joinNs, stop } = plan;
  const rates = [
    requestsPerSecond,
    ...changes.map(({ atNs, paused, requestsPerSecond: rate }) => {
      return `${paused ? "paused" : rate}@${(atNs / 1e9).toFixed(3)}s`;
    }),
  ].join(",");
  const start = startAtMs === undefined ? "" : ` from ${new Date(startAtMs).toISOString()}`;
  const join = joinNs === undefined ? "" : ` joining at ${(joinNs / 1e9).toFixed(3)}s`;
  return `${worker.index}/${worker.count} of ${rates}/s${start}${join}${stop ? ", to stop" : ""}`;
}

function instant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
