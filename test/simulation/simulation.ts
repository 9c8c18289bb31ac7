// One history, from its first step until nothing changes any more: users, controllers, API server, kubelets and garbage
// collector in virtual time. The same history always takes the same course.

import { ApiError } from "../../lib/kube/api-error.ts";
import { canaries, loadtests, type ObjectKey, pods, type Resource, services } from "../../lib/kube/resource.ts";
import { apiVersion } from "../../lib/loadtest/api-group.ts";
import type { LoadTest } from "../../lib/loadtest/load-test.ts";
import type { KubeObject, Service } from "../../lib/plan/objects.ts";
import { differsInFiguresAlone } from "../../lib/plan/status-writes.ts";
import { Chance } from "../chance.ts";
import { ApiServer } from "../model/api-server.ts";
import type { Way } from "../model/client.ts";
import type { Fate } from "../model/fate.ts";
import { GarbageCollector } from "../model/garbage-collector.ts";
import { Kubelets } from "../model/kubelets.ts";
import type { Call } from "../model/refusal.ts";
import { inVirtualTime, VirtualTime } from "../model/virtual-time.ts";
import type { Disturbance } from "../model/watch-stream.ts";
import { Broken, Expectations } from "./expectations.ts";
import { formatMs, type History, outside, type Step } from "./history.ts";
import { Replica } from "./replica.ts";
import { Replicas } from "./replicas.ts";

const namespace = "ns";
const epochMs = Date.UTC(2030, 0, 1);
/** In the end everything must be as it should be after so long at most. */
const patienceMs = 600_000;
/** A poll and more, in which nothing may be written, and what may still be written before. */
const idleMs = 35_000;
const settlingMs = 15_000;
const nodes = 2;

export interface Options {
  /** Has the caller of that call die before it happens, or after. */
  readonly crashAt?: { readonly call: number; readonly when: "crashBefore" | "crashAfter" };
  readonly isTraced?: boolean;
  /** Without the rest at the end, in which nothing may be written. */
  readonly isBrief?: boolean;
}

export interface Outcome {
  /** What was not as it must be; undefined: all was. */
  readonly broken: string | undefined;
  /** Of the controllers, attempts included, until all was in order. */
  readonly calls: number;
  readonly trace: readonly string[];
}

export function simulate(history: History, options: Options = {}): Outcome {
  const time = new VirtualTime(epochMs);
  const chance = new Chance(history.seed, 2);
  return inVirtualTime(
    time,
    () => chance.below(1e6) / 1e6,
    () => new Simulation(history, options, time).run(),
  );
}

class Simulation {
  readonly #history: History;
  readonly #options: Options;
  readonly #time: VirtualTime;
  readonly #chance: Chance;
  readonly #server: ApiServer;
  readonly #kubelets: Kubelets;
  readonly #expectations: Expectations;
  readonly #trace: string[] = [];
  readonly #replicas: Replicas;
  #fates: { fate: Fate; afterCalls: number }[] = [];
  #disturbances: Disturbance[] = [];
  readonly #underWay = { calls: 0 };
  #replicasMade = 0;
  #calls = 0;
  #callsUntilOrder = 0;
  #writes = 0;
  /** Whether the LoadTest that was changed last differs from before in figures alone, which come now and then. */
  #isFigures = false;

  constructor(history: History, options: Options, time: VirtualTime) {
    this.#history = history;
    this.#options = options;
    this.#time = time;
    this.#chance = new Chance(history.seed, 3);
    this.#server = new ApiServer(time, [namespace]);
    const within = (from: number, to: number) => () => from + this.#chance.below(to - from);
    const [gcFrom, gcTo] = this.#chance.oneIn(4) ? [5000, 30_000] : [20, 500];
    new GarbageCollector({ time, server: this.#server, delayMs: within(gcFrom, gcTo) });
    this.#kubelets = new Kubelets({
      time,
      server: this.#server,
      nodes,
      delays: {
        schedulingMs: within(5, 300),
        startingMs: within(100, 2000),
        reportingMs: within(5, 500),
        deliveryMs: this.#chance.oneIn(4) ? within(500, 5000) : within(200, 600),
        killingMs: within(5, 500),
        restartingMs: within(100, 5000),
      },
      happened: (what) => {
        this.#expectations.touch();
        this.#note("node      ", what);
      },
      broken: (words) => this.#expectations.break(words),
    });
    this.#server.store.listen(({ plural, object, before }) => {
      const [was, is] = [before, object] as Partial<LoadTest>[];
      if (plural === loadtests.plural) this.#isFigures = differsInFiguresAlone(was?.status, is?.status);
    });
    this.#expectations = new Expectations(time, this.#server.store, this.#kubelets, () => this.#underWay.calls === 0);
    const create = (crashed: () => void) => this.#createReplica(crashed);
    this.#replicas = new Replicas({ time, chance: this.#chance, count: history.replicas, create });
  }

  run(): Outcome {
    let broken: string | undefined;
    try {
      this.#live();
    } catch (error: unknown) {
      if (!(error instanceof Broken)) throw error;
      broken = `at ${formatMs(this.#time.nowMs - epochMs).trim()}: ${error.message}`;
    }
    return { broken, calls: this.#callsUntilOrder, trace: this.#trace };
  }

  #live(): void {
    for (const name of ["web", "web2"]) this.#do({ atMs: 0, do: "setService", name, exists: true });
    this.#apply(services, outside, { type: "ExternalName", externalName: "example.com" });
    this.#replicas.begin();
    for (const step of this.#history.steps) {
      this.#pass(epochMs + step.atMs);
      this.#note("history   ", JSON.stringify({ ...step, atMs: undefined }));
      this.#do(step);
    }
    this.#fates = [];
    this.#disturbances = [];
    for (const name of ["web", "web2"]) this.#do({ atMs: 0, do: "setService", name, exists: true });
    if (this.#server.store.all(canaries.plural).length === 0) this.#do({ atMs: 0, do: "setCanary", backends: halves });
    this.#awaitOrder();
    this.#callsUntilOrder = this.#calls;
    if (this.#options.isBrief !== true) this.#awaitIdleness();
  }

  /** Lets everything come to be as it should. */
  #awaitOrder(): void {
    const untilMs = this.#time.nowMs + patienceMs;
    for (;;) {
      this.#pass(this.#time.nowMs + 5000);
      const missing = this.#isWhole ? this.#expectations.whatIsMissing(this.#time.nowMs) : "a node or a controller";
      if (missing === undefined) return;
      if (this.#time.nowMs >= untilMs) throw new Broken(`after ${patienceMs / 1000} s still: ${missing}`);
    }
  }

  get #isWhole(): boolean {
    return this.#replicas.areWhole && this.#kubelets.areReached;
  }

  /** Nothing may be written once all is as it should be, nor by one that takes over or has just begun. */
  #awaitIdleness(): void {
    this.#pass(this.#time.nowMs + settlingMs);
    this.#awaitOrder(); // a node that is back may have changed what was in order before anyone looked
    this.#writes = 0;
    this.#pass(this.#time.nowMs + idleMs);
    this.#replicas.handOver("stopped", 0);
    this.#pass(this.#time.nowMs + idleMs);
    this.#replicas.begin();
    this.#pass(this.#time.nowMs + idleMs);
    if (this.#writes > 0) throw new Broken(`${this.#writes} writes, and nothing to do`);
    const missing = this.#expectations.whatIsMissing(this.#time.nowMs);
    if (missing !== undefined) throw new Broken(`no longer in order: ${missing}`);
  }

  #pass(untilMs: number): void {
    // Rates may change without anything happening.
    while (this.#time.nowMs < untilMs) {
      this.#time.runUntil(Math.min(untilMs, this.#time.nowMs + 1000), () => this.#expectations.look(this.#time.nowMs));
      this.#expectations.check(this.#time.nowMs);
    }
  }

  #createReplica(crashed: () => void): Replica {
    const name = `replica ${++this.#replicasMade}`.padEnd(10);
    const way: Way = {
      fateOf: () => this.#fateOf(),
      latencyMs: () => 1 + this.#chance.below(this.#chance.oneIn(10) ? 200 : 10),
      disturbanceOf: () => this.#disturbances.pop() ?? "none",
      streamLengthMs: () => 20_000 + this.#chance.below(280_000),
      happened: (call, outcome) => this.#happened(name, call, outcome),
      crashed,
      blindlyDeleted: (name) =>
        this.#expectations.break(`"${name}" was deleted by a controller that had never seen it`),
      underWay: this.#underWay,
      createdLate: (uid) => this.#expectations.exempt(uid),
      random: () => this.#chance.below(1e6) / 1e6,
      isWeighed: false,
    };
    return new Replica(this.#time, this.#server, way, (words) => this.#note(name, words));
  }

  #fateOf(): Fate {
    this.#calls++;
    const { crashAt } = this.#options;
    if (crashAt?.call === this.#calls) return crashAt.when;
    for (const fate of this.#fates) fate.afterCalls--;
    const due = this.#fates.findIndex(({ afterCalls }) => afterCalls < 0);
    return due < 0 ? "served" : (this.#fates.splice(due, 1)[0]?.fate ?? "served");
  }

  #happened(who: string, { method, path }: Call, outcome: string): void {
    const isFigures = method === "PATCH" && path.endsWith("/status") && this.#isFigures;
    const isKept = path.includes("/loadtestresults"); // figures too, as long as the run goes on
    if (method !== "GET" && !isFigures && !isKept) this.#writes++;
    if (this.#options.isTraced) this.#note(who, `${method} ${path.replace(/^\/apis?/, "")}: ${outcome}`);
  }

  #note(who: string, what: string): void {
    if (this.#options.isTraced) this.#trace.push(`${formatMs(this.#time.nowMs - epochMs)}  ${who}  ${what}`);
  }

  #do(step: Step): void {
    switch (step.do) {
      case "create":
        this.#try(() => this.#server.create(loadtests, objectOf(loadtests, step.name, step.spec)));
        return;
      case "edit":
        this.#try(() =>
          this.#server.patch(loadtests, keyOf(step.name), { type: "merge", body: { spec: step.change } }),
        );
        return;
      case "delete":
        this.#try(() => this.#server.delete(loadtests, keyOf(step.name), { propagationPolicy: step.policy }));
        return;
      case "setCanary":
        this.#apply(canaries, "split", { backends: step.backends });
        return;
      case "setService":
        if (step.exists) this.#apply(services, step.name, serviceSpec);
        else this.#try(() => this.#server.delete(services, keyOf(step.name)));
        return;
      case "deletePod":
        this.#withPod(step.pod, (key) => this.#try(() => this.#server.delete(pods, key)));
        return;
      case "evictPod":
      case "crashContainer":
        this.#withPod(step.pod, (_, uid) => {
          const pod = this.#kubelets.get(uid);
          if (pod === undefined) return;
          if (step.do === "evictPod") this.#kubelets.evict(pod, step.isGraceful);
          else this.#kubelets.crashContainer(pod);
        });
        return;
      case "loseNode":
        this.#kubelets.lose(step.node, step.forMs);
        return;
      case "destroyNode":
        this.#kubelets.destroy(step.node, step.forMs);
        return;
      case "overlookChanges":
        this.#kubelets.overlook(step.node, step.changes);
        return;
      case "disturbCall":
        this.#fates.push({ fate: step.fate, afterCalls: step.afterCalls });
        return;
      case "disturbEvents":
        this.#disturbances.push(...Array.from({ length: step.events }, () => step.disturbance));
        return;
      case "freezeWatches":
        for (const { client } of this.#replicas) client.freeze();
        return;
      case "breakWatches":
        for (const { client } of this.#replicas) client.breakStreams();
        return;
      case "compact":
        this.#server.store.compact();
        return;
      case "restartControllers":
        this.#replicas.begin();
        return;
      case "handOver":
        this.#replicas.handOver(step.how, step.gapMs);
        return;
      case "secondLeader":
        this.#replicas.addLeader(step.forMs);
    }
  }

  /** Does what may be refused, as nobody knows what is there. */
  #try(deed: () => unknown): void {
    try {
      deed();
    } catch (error: unknown) {
      if (!(error instanceof ApiError)) throw error;
      this.#note("history   ", error.message);
    }
  }

  #apply<T extends KubeObject & { spec: unknown }>(resource: Resource<T>, name: string, spec: T["spec"]): void {
    const key = keyOf(name);
    if (this.#server.store.get(resource.plural, `${namespace}/${name}`) === undefined) {
      this.#server.create(resource, objectOf(resource, name, spec));
    } else this.#server.patch(resource, key, { type: "merge", body: { spec } });
  }

  #withPod(number: number, work: (key: ObjectKey, uid: string) => void): void {
    const all = this.#server.store.all(pods.plural);
    const pod = all[number % Math.max(1, all.length)];
    if (pod !== undefined) work(keyOf(pod.metadata.name), pod.metadata.uid);
  }
}

const halves = [
  { service: "web", percent: 50 },
  { service: "web2", percent: 50 },
];
const serviceSpec: Service["spec"] = { type: "ClusterIP", ports: [{ port: 80 }, { port: 443 }] };

function keyOf(name: string): { namespace: string; name: string } {
  return { namespace, name };
}

function objectOf({ group, kind }: Resource, name: string, spec: unknown): KubeObject {
  return { apiVersion: group === "" ? "v1" : apiVersion, kind, metadata: keyOf(name), spec } as KubeObject;
}
