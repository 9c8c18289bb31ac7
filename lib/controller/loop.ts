// The reconcile loop: poll is the truth, watch is the doorbell. A poll lists everything and says which LoadTests need
// attention; a watch says so sooner. Whoever needs attention is observed live, planned and acted on, one LoadTest at a
// time and independently of the others. Between two looks nothing is kept that a decision depends on.
import type { Registry } from "prom-client";
import type { KubeClient } from "../kube/client.ts";
import { Doorbell, type WatchCounters } from "../kube/doorbell.ts";
import type { Traffic } from "../kube/http-client.ts";
import { canaries, loadtests, pods } from "../kube/resource.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import { loadTestLabel, planAnnotation } from "../plan/names.ts";
import { newsOf } from "../plan/news.ts";
import { nextLookMs } from "../plan/next-look.ts";
import type { Pod } from "../plan/objects.ts";
import { needsAttention, plan } from "../plan/plan.ts";
import { repairsIn } from "../plan/repairs.ts";
import { isStarting, troubleOf } from "../plan/trouble.ts";
import { type Action, ownerUid, type PlanOptions } from "../plan/world.ts";
import { monotonicNs, nowMs, sleep } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { execute } from "./execute.ts";
import { ControllerMetrics } from "./metrics.ts";
import { type Lists, list, observe, type Scope } from "./observe.ts";
import { Recorder } from "./recorder.ts";
import { RunReader } from "./run-reader.ts";
import { WorkQueue } from "./work-queue.ts";

/** Asks the API server, and counts what that costs. */
export type CountedClient = KubeClient & { readonly traffic: Traffic };

export interface LoopOptions extends PlanOptions, Scope {
  registry: Registry;
  watchCounters: WatchCounters;
  /** Between two polls while the watches are alive, and without them. */
  pollIntervalMs: { watched: number; unwatched: number };
  isWatching: boolean;
  /** Which of several controllers this is. */
  identity: string;
  /** Whether this controller acts; another one may. */
  mayAct: () => boolean;
}

/** What the health endpoints tell. */
export interface LoopHealth {
  /** When everything was last looked at, or was another's to look at; ms since the Unix epoch; 0: never yet. */
  passedAtMs: number;
}

/** Polls may fail for this long, an API server's restart included, before the process counts as stuck. */
const patienceMs = 180_000;
/** LoadTests that are worked on at once. */
const width = 32;
/** Pods of a LoadTest start and end together, and the kubelet says so once a second, of one after the other. */
const gatherMs = 100;
/** After its creation, with clocks that are a little apart. */
const newForMs = 5000;
/** How soon a change of leadership is noticed. */
const leadershipMs = 500;

/** Whether a controller that started at this instant is stuck, in words; undefined: it is not. */
export function stuckFor({ passedAtMs }: LoopHealth, startedAtMs: number): string | undefined {
  const agoMs = nowMs() - Math.max(passedAtMs, startedAtMs);
  return agoMs < patienceMs ? undefined : `no pass for ${Math.round(agoMs / 1000)} s`;
}

/** Runs until `stop` is aborted; work under way is finished first. What fails is logged and tried again. */
export async function runLoop(
  client: CountedClient,
  options: LoopOptions,
  health: LoopHealth,
  log: Log,
  stop: AbortSignal,
): Promise<void> {
  const loop = new Loop(client, options, health, log);
  await Promise.all([loop.poll(stop), ...loop.bells.map((bell) => bell.run(stop))]);
  await loop.stop();
}

class Loop {
  readonly queue: WorkQueue;
  readonly bells: readonly Pick<Doorbell<never>, "run" | "isAlive">[];
  readonly #client: KubeClient;
  readonly #metrics: ControllerMetrics;
  readonly #recorder: Recorder;
  readonly #options: LoopOptions;
  readonly #scope: Scope;
  readonly #health: LoopHealth;
  readonly #log: Log;
  /** LoadTests by the Canary that they name: whom to ring when it changes. */
  readonly #byCanary = new Map<string, Set<string>>();
  /** What of LoadTests and Pods was last seen that matters: an event without news is an echo of our own writes. */
  readonly #seen = new Map<string, string>();
  /** LoadTests just heard of for the first time, until they are worked on. */
  readonly #fresh = new Map<string, LoadTest>();
  /** Names of the Pods that bear a LoadTest's name, as far as they have been heard of. */
  readonly #podNames = new Map<string, Set<string>>();
  readonly #reader: RunReader;
  /** Of LoadTests that are there: figures alone are not written at every look. */
  readonly #statusWrittenAtMs = new Map<string, number>();
  #looking: Promise<Lists> | undefined;

  constructor(client: CountedClient, options: LoopOptions, health: LoopHealth, log: Log) {
    this.#client = client;
    this.#options = options;
    this.#scope = options.namespace === undefined ? {} : { namespace: options.namespace };
    this.#health = health;
    this.#log = log;
    this.#recorder = new Recorder(client, options.identity, log);
    this.#reader = new RunReader(client, log);
    this.queue = new WorkQueue({
      work: (key) => this.#reconcile(key),
      failed: (key, error) => {
        this.#metrics.reconciles.inc({ outcome: "failed" });
        log.warn({ loadTest: key, error: (error as Error).message }, "cannot reconcile");
      },
      width,
      random: Math.random,
    });
    this.#metrics = new ControllerMetrics(options.registry, client.traffic, () => this.queue.size, options.mayAct);
    this.bells = options.isWatching ? this.#doorbells() : [];
  }

  /** Resolves when what is under way is done. */
  async stop(): Promise<void> {
    await this.queue.stop();
    await this.#recorder.stop();
  }

  /** Looks at everything now and then, and at once when this controller begins to lead. */
  async poll(stop: AbortSignal): Promise<void> {
    let ledBefore = false;
    let lookedAtMs = Number.NEGATIVE_INFINITY;
    while (!stop.aborted) {
      const leads = this.#options.mayAct();
      if (!leads) this.#health.passedAtMs = nowMs();
      else if (!ledBefore || nowMs() - lookedAtMs >= this.#intervalMs()) {
        lookedAtMs = nowMs();
        await this.#lookAtAll().catch(() => {}); // logged there
      }
      ledBefore = leads;
      await sleep(Math.min(this.#intervalMs(), leadershipMs), stop);
    }
  }

  #intervalMs(): number {
    const { watched, unwatched } = this.#options.pollIntervalMs;
    const isWatched = this.bells.length > 0 && this.bells.every(({ isAlive }) => isAlive);
    return isWatched ? watched : unwatched;
  }

  /** One look at a time: whoever wants one while one is under way gets that. */
  #lookAtAll(): Promise<Lists> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<Lists> {
    try {
      const lists = await list(this.#client, this.#scope);
      this.#ringWhoNeedsIt(lists);
      this.#health.passedAtMs = nowMs();
      return lists;
    } catch (error: unknown) {
      this.#log.error({ error: (error as Error).message }, "cannot observe the cluster");
      throw error;
    }
  }

  #ringWhoNeedsIt({ loadTests, pods: workers }: Lists): void {
    const owned = Map.groupBy(workers, (pod) => ownerUid(pod) ?? "");
    const uids = new Set<string>();
    this.#byCanary.clear();
    this.#seen.clear();
    this.#podNames.clear();
    for (const loadTest of loadTests) {
      const { uid } = loadTest.metadata;
      uids.add(uid);
      this.#note(loadTest);
      if (needsAttention(loadTest, owned.get(uid) ?? [], this.#options, nowMs())) this.queue.ring(keyOf(loadTest));
    }
    for (const pod of workers) this.#notePod(pod, false);
    for (const uid of this.#statusWrittenAtMs.keys()) if (!uids.has(uid)) this.#statusWrittenAtMs.delete(uid);
    const orphans = workers.filter((pod) => !uids.has(ownerUid(pod) ?? ""));
    for (const pod of orphans) this.queue.ring(ownerKeyOf(pod));
    this.#log.debug({ loadTests: loadTests.length, pods: workers.length, orphans: orphans.length }, "looked at all");
  }

  #doorbells() {
    const common = { client: this.#client, ...this.#scope, counters: this.#options.watchCounters, log: this.#log };
    const lookAtAll = async () => (await this.#lookAtAll()).versions;
    return [
      new Doorbell({
        ...common,
        resource: loadtests,
        lookAtAll: async () => (await lookAtAll()).loadTests,
        heard: (loadTest, type) => {
          if (!this.#note(loadTest)) return;
          if (type === "ADDED" && loadTest.status === undefined && isNew(loadTest))
            this.#fresh.set(keyOf(loadTest), loadTest);
          else this.#fresh.delete(keyOf(loadTest));
          this.queue.ring(keyOf(loadTest));
        },
      }),
      new Doorbell({
        ...common,
        resource: pods,
        labelSelector: loadTestLabel,
        lookAtAll: async () => (await lookAtAll()).pods,
        heard: (pod, type) => {
          if (this.#notePod(pod, type === "DELETED")) this.queue.ring(ownerKeyOf(pod), gatherMs);
        },
      }),
      new Doorbell({
        ...common,
        resource: canaries,
        lookAtAll: async () => (await this.#client.list(canaries, this.#scope)).resourceVersion,
        heard: (canary) => {
          for (const key of this.#byCanary.get(keyOf(canary)) ?? []) this.queue.ring(key);
        },
      }),
    ];
  }

  /** Remembers whom it concerns; returns whether there is news in it. */
  #note({ metadata, spec }: LoadTest): boolean {
    const key = keyOf({ metadata });
    if (spec.canary !== undefined) {
      const canary = `${metadata.namespace}/${spec.canary}`;
      this.#byCanary.set(canary, (this.#byCanary.get(canary) ?? new Set()).add(key));
    }
    return this.#isNews([`LoadTest ${key}`, `${metadata.uid} ${metadata.generation} ${metadata.deletionTimestamp}`]);
  }

  #notePod(pod: Pod, isDeleted: boolean): boolean {
    const owner = ownerKeyOf(pod);
    const names = this.#podNames.get(owner) ?? new Set();
    if (isDeleted) names.delete(pod.metadata.name);
    else names.add(pod.metadata.name);
    this.#podNames.set(owner, names);
    return this.#isNews(podNews(pod, isDeleted));
  }

  #takeFresh(key: string): LoadTest | undefined {
    const loadTest = this.#fresh.get(key);
    this.#fresh.delete(key);
    const hasPods = (this.#podNames.get(key)?.size ?? 0) > 0;
    return hasPods ? undefined : loadTest;
  }

  #isNews([key, news]: readonly [key: string, news: string]): boolean {
    if (this.#seen.get(key) === news) return false;
    this.#seen.set(key, news);
    return true;
  }

  async #reconcile(key: string): Promise<number | undefined> {
    if (!this.#options.mayAct()) return undefined;
    const { reconciles, seconds, actions: counted } = this.#metrics;
    const startedNs = monotonicNs();
    const [namespace = "", name = ""] = key.split("/");
    const observed = await observe(this.#client, { namespace, name }, this.#options, this.#log, this.#takeFresh(key));
    const world = {
      ...observed,
      ...(await this.#reader.read(observed, nowMs())),
      statusWrittenAtMs: this.#statusWrittenAtMs,
    };
    const actions = plan(world, this.#options, nowMs());
    for (const action of actions) {
      counted.inc({ action: action.kind });
      for (const pod of written(action, world.pods)) this.#notePod(pod, false);
    }
    const { done, failures, refused } = await execute(actions, this.#client, this.#log, (refusedCreations) =>
      plan({ ...world, refusedCreations }, this.#options, nowMs()),
    );
    seconds.observe((monotonicNs() - startedNs) / 1e9);
    for (const one of done) if (one.kind === "patchStatus") this.#statusWrittenAtMs.set(one.uid, nowMs());
    for (const { replaced, added, stuck } of world.loadTests.map((loadTest) => repairsIn(loadTest, done))) {
      this.#metrics.replaced.inc(replaced.length + stuck.length);
      this.#metrics.added.inc(added.length);
    }
    for (const loadTest of world.loadTests) this.#recorder.record(loadTest, newsOf(loadTest, done));
    if (failures > 0) this.#reader.forget(world);
    if (failures > 0) throw new Error(`${failures} of ${actions.length} actions failed`);
    reconciles.inc({ outcome: "done" });
    return nextLookMs({ ...world, refusedCreations: refused }, this.#options, nowMs());
  }
}

/** Whether it has just been created: what a watch makes up for after a silence may be long gone. */
function isNew({ metadata }: LoadTest): boolean {
  return Math.abs(nowMs() - Date.parse(metadata.creationTimestamp)) < newForMs;
}

/** What of a Pod decides about anything. */
function podNews(pod: Pod, isDeleted: boolean): [key: string, news: string] {
  const { metadata, status } = pod;
  const { phase = "Pending", reason, containerStatuses = [] } = status ?? {};
  const trouble = troubleOf([pod]);
  // That its node is about to start it decides about nothing: should that take long, a later look will see.
  const started = isStarting(pod) ? [] : containerStatuses;
  const states = started.map(({ restartCount, state, lastState }) => [restartCount, state, lastState]);
  const isGoing = metadata.deletionTimestamp !== undefined;
  const planHash = String(Bun.hash(metadata.annotations?.[planAnnotation] ?? ""));
  const news = [isDeleted, isGoing, phase, reason, trouble, states, planHash];
  return [`Pod ${keyOf({ metadata })}`, JSON.stringify(news)];
}

/** The Pod that an action leaves behind, whose event is its echo. */
function written(action: Action, present: readonly Pod[]): Pod[] {
  if (action.kind === "createPod") return [action.pod];
  if (action.kind !== "setPlan") return [];
  return present
    .filter(({ metadata }) => metadata.uid === action.uid)
    .map((pod) => {
      const annotations = { ...pod.metadata.annotations, [planAnnotation]: action.plan };
      return { ...pod, metadata: { ...pod.metadata, annotations } };
    });
}

function keyOf({ metadata }: { metadata: { namespace?: string; name: string } }): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function ownerKeyOf({ metadata }: { metadata: { namespace?: string; labels?: Record<string, string> } }): string {
  return `${metadata.namespace}/${metadata.labels?.[loadTestLabel]}`;
}
