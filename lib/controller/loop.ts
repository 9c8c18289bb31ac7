// The reconcile loop: poll is the truth, watch is the doorbell. A poll lists everything and says which LoadTests need
// attention; a watch says so sooner. Whoever needs attention is observed live, planned and acted on, one LoadTest at a
// time and independently of the others. What is kept between two looks spares reading, and is read anew where it is not there.
import type { Registry } from "prom-client";
import type { KubeClient } from "../kube/client.ts";
import { Doorbell, type WatchCounters } from "../kube/doorbell.ts";
import type { Traffic } from "../kube/http-client.ts";
import { canaries, loadtests, pods } from "../kube/resource.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import { loadTestLabel } from "../plan/names.ts";
import { newsOf } from "../plan/news.ts";
import { nextLookMs } from "../plan/next-look.ts";
import { plan } from "../plan/plan.ts";
import { repairsIn } from "../plan/repairs.ts";
import { type Action, ownerUid, type PlanOptions } from "../plan/world.ts";
import { monotonicNs, nowMs, sleep } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { execute } from "./execute.ts";
import { Hearsay, keyOf, ownerKeyOf } from "./hearsay.ts";
import { LookedAt } from "./looked-at.ts";
import { ControllerMetrics } from "./metrics.ts";
import { type Lists, list, observe, type Scope } from "./observe.ts";
import { RecentServices } from "./recent-services.ts";
import { Recorder } from "./recorder.ts";
import { RunReader } from "./run-reader.ts";
import { WorkQueue } from "./work-queue.ts";

/** Asks the API server, and counts what that costs. */
export type CountedClient = KubeClient & { readonly traffic: Traffic };

export interface LoopOptions extends PlanOptions, Scope {
  registry: Registry;
  watchCounters: WatchCounters;
  /** Between two polls while the watches are alive, and without them; longest: where a poll itself takes long. */
  pollIntervalMs: { watched: number; unwatched: number; longest: number };
  isWatching: boolean;
  /** Which of several controllers this is. */
  identity: string;
  /** Whether this controller acts; another one may. */
  mayAct: () => boolean;
}

/** What the health endpoints tell. */
export interface LoopHealth {
  /** When everything was last looked at, or was another's to look at; monotonic; undefined: never yet. */
  passedAtNs: number | undefined;
}

/** Polls may fail for this long, an API server's restart included, before the process counts as stuck. */
const patienceMs = 180_000;
/** LoadTests that are worked on at once. */
const width = 32;
/** Until the status of a LoadTest that has just got its Pods, unless they ring before. */
const firstStatusMs = 500;
/** Of the time between two polls that a poll may take while the watches are alive. */
const pollShare = 0.01;
/** Pods of a LoadTest start and end together, and the kubelet says so once a second, of one after the other. */
const gatherMs = 100;
/** How soon a change of leadership is noticed. */
const leadershipMs = 500;

/** Whether a controller that started at this monotonic instant is stuck, in words; undefined: it is not. */
export function stuckFor({ passedAtNs }: LoopHealth, startedAtNs: number): string | undefined {
  const agoMs = (monotonicNs() - (passedAtNs ?? startedAtNs)) / 1e6;
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

interface Look {
  lists: Promise<Lists>;
  /** Resolves when everybody who needs attention has been rung for, or once it is logged why not. */
  end: Promise<void>;
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
  readonly #hearsay = new Hearsay();
  readonly #lookedAt = new LookedAt();
  readonly #recentServices = new RecentServices();
  readonly #reader: RunReader;
  /** Of LoadTests that are there: figures alone are not written at every look. */
  readonly #statusWrittenAtMs = new Map<string, number>();
  #looking: Look | undefined;
  /** The last look; undefined: it failed, or there was none. */
  #lookTookMs: number | undefined;

  constructor(client: CountedClient, options: LoopOptions, health: LoopHealth, log: Log) {
    this.#client = client;
    this.#options = options;
    this.#scope = options.namespace === undefined ? {} : { namespace: options.namespace };
    this.#health = health;
    this.#log = log;
    this.#recorder = new Recorder(client, options.identity, log, () => this.queue.isPressed);
    this.#reader = new RunReader(client, log);
    this.queue = new WorkQueue({
      work: (key) => this.#reconcile(key),
      failed: (key, error) => {
        this.#metrics.reconciles.inc({ outcome: "failed" });
        log.warn({ loadTest: key, error: (error as Error).message }, "cannot reconcile");
      },
      width,
      calmed: () => this.#recorder.proceed(),
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
    let leftMs = 0; // counted, since clocks are set
    while (!stop.aborted) {
      const leads = this.#options.mayAct();
      leftMs = leads ? Math.min(leftMs, this.#intervalMs()) : 0;
      if (!leads) {
        this.#health.passedAtNs = monotonicNs();
        this.#hearsay.forget(); // the first poll of its own tells all
      } else if (leftMs <= 0) {
        await this.#lookAtAll().end;
        leftMs = this.#intervalMs();
      }
      const napMs = Math.min(leadershipMs, leftMs || leadershipMs);
      await sleep(napMs, stop);
      leftMs -= napMs;
    }
  }

  #intervalMs(): number {
    const { watched, unwatched, longest } = this.#options.pollIntervalMs;
    const isWatched = this.bells.length > 0 && this.bells.every(({ isAlive }) => isAlive);
    return isWatched && this.#lookTookMs !== undefined
      ? Math.max(watched, Math.min(this.#lookTookMs / pollShare, longest))
      : unwatched;
  }

  /** One look at a time: whoever wants one while one is under way gets that. */
  #lookAtAll(): Look {
    if (this.#looking === undefined) {
      this.#hearsay.expectLists();
      const lists = list(this.#client, this.#scope);
      this.#looking = { lists, end: this.#look(lists) };
    }
    return this.#looking;
  }

  async #look(lists: Promise<Lists>): Promise<void> {
    try {
      const startedNs = monotonicNs();
      await this.#ringWhoNeedsIt(await lists);
      this.#lookTookMs = (monotonicNs() - startedNs) / 1e6;
      this.#health.passedAtNs = monotonicNs();
    } catch (error: unknown) {
      this.#lookTookMs = undefined;
      this.#log.error({ error: (error as Error).message }, "cannot observe the cluster");
    } finally {
      this.#looking = undefined;
    }
  }

  async #ringWhoNeedsIt({ loadTests, pods: workers }: Lists): Promise<void> {
    const owned = Map.groupBy(workers, (pod) => ownerUid(pod) ?? "");
    const uids = new Set<string>();
    for (const { metadata } of loadTests) uids.add(metadata.uid);
    this.#hearsay.learn(loadTests, workers);
    const all = loadTests.map((loadTest) => ({ loadTest, pods: owned.get(loadTest.metadata.uid) ?? [] }));
    for await (const { loadTest, inMs } of this.#lookedAt.select(all, this.#options)) {
      if (inMs === 0) this.queue.ring(keyOf(loadTest));
      else this.queue.ringLater(keyOf(loadTest), inMs);
    }
    for (const uid of this.#statusWrittenAtMs.keys()) if (!uids.has(uid)) this.#statusWrittenAtMs.delete(uid);
    this.#reader.keepOnly(uids);
    const orphans = workers.filter((pod) => !uids.has(ownerUid(pod) ?? ""));
    for (const pod of orphans) this.queue.ring(ownerKeyOf(pod));
    this.#log.debug({ loadTests: loadTests.length, pods: workers.length, orphans: orphans.length }, "looked at all");
  }

  #doorbells() {
    const common = { client: this.#client, ...this.#scope, counters: this.#options.watchCounters, log: this.#log };
    const lookAtAll = async () => (await this.#lookAtAll().lists).versions;
    return [
      new Doorbell({
        ...common,
        resource: loadtests,
        lookAtAll: async () => (await lookAtAll()).loadTests,
        heard: (loadTest, type) => {
          const news = this.#hearsay.hear(loadTest, type);
          if (news !== "none") this.queue.ring(keyOf(loadTest), { lane: news === "fresh" ? "urgent" : "ordinary" });
        },
      }),
      new Doorbell({
        ...common,
        resource: pods,
        labelSelector: loadTestLabel,
        lookAtAll: async () => (await lookAtAll()).pods,
        heard: (pod, type) => {
          if (this.#hearsay.notePod(pod, type === "DELETED")) this.queue.ring(ownerKeyOf(pod), { gatherMs });
        },
      }),
      new Doorbell({
        ...common,
        resource: canaries,
        lookAtAll: async () => (await this.#client.list(canaries, this.#scope)).resourceVersion,
        heard: (canary) => {
          for (const key of this.#hearsay.keysOfCanary(keyOf(canary))) this.queue.ring(key);
        },
      }),
    ];
  }

  async #reconcile(key: string): Promise<number | undefined> {
    const fresh = this.#hearsay.takeFresh(key);
    if (!this.#options.mayAct()) return undefined;
    const { reconciles, seconds, actions: counted } = this.#metrics;
    const startedNs = monotonicNs();
    const [namespace = "", name = ""] = key.split("/");
    const observed = await observe(
      this.#client,
      { namespace, name },
      this.#options,
      this.#log,
      fresh,
      this.#recentServices,
    );
    const world = {
      ...observed,
      ...(await this.#reader.read(observed, nowMs())),
      statusWrittenAtMs: this.#statusWrittenAtMs,
    };
    if (!this.#options.mayAct()) return undefined; // while it was read, somebody else may have gone on
    const actions = plan(world, this.#options, nowMs());
    // A new LoadTest gets its Pods; whatever else there is to do or say comes when these have been heard of.
    const creations = actions.filter(({ kind }) => kind === "createPod");
    const isFirst = fresh !== undefined && creations.length > 0;
    const due = isFirst ? creations : actions;
    for (const action of due) {
      counted.inc({ action: action.kind });
      this.#hearsay.noteOwn(action, world.pods);
    }
    const { done, failures, refused } = await execute(due, this.#client, this.#log, (refusedCreations) =>
      plan({ ...world, refusedCreations }, this.#options, nowMs()),
    );
    seconds.observe((monotonicNs() - startedNs) / 1e9);
    for (const one of done) if (one.kind === "patchStatus") this.#statusWrittenAtMs.set(one.uid, nowMs());
    this.#reader.learn(done);
    const { replaced, added, reminded } = repairsIn(done);
    this.#metrics.replaced.inc(replaced.length);
    this.#metrics.added.inc(added.length);
    this.#metrics.reminded.inc(reminded.length);
    for (const loadTest of world.loadTests) this.#recorder.record(loadTest, newsOf(loadTest, done));
    if (failures > 0) this.#reader.forget(world);
    if (failures > 0) throw new Error(`${failures} of ${due.length} actions failed`);
    reconciles.inc({ outcome: "done" });
    if (isFirst) return firstStatusMs;
    const after = { ...world, loadTests: asWritten(world.loadTests, done), refusedCreations: refused };
    return nextLookMs(after, this.#options, nowMs());
  }
}

/** With the statuses that were written: what they say may call for a look that they themselves do not ring for. */
function asWritten(loadTests: readonly LoadTest[], done: readonly Action[]): readonly LoadTest[] {
  const written = done.filter((action) => action.kind === "patchStatus");
  return loadTests.map((loadTest) => {
    const status = written.find(({ uid }) => uid === loadTest.metadata.uid)?.status;
    return status === undefined ? loadTest : { ...loadTest, status };
  });
}
