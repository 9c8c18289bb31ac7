// What must be so at every instant, and what must come to be so. Nothing here knows how the planner brings it about.
import { isDeepStrictEqual } from "node:util";
import { rateCurve } from "../../lib/load/planned-schedule.ts";
import type { WorkerPlan } from "../../lib/load/worker-plan.ts";
import type { Canary } from "../../lib/loadtest/canary.ts";
import { effectiveSpec, highestRate } from "../../lib/loadtest/defaults.ts";
import type { LoadTest } from "../../lib/loadtest/load-test.ts";
import type { LoadTestResult } from "../../lib/loadtest/load-test-result.ts";
import { hasFailed, latestBySeat, type Worker, workerOf } from "../../lib/plan/crew.ts";
import { loadTestLabel, planAnnotation, runLabel, workerLabel } from "../../lib/plan/names.ts";
import type { Observed, Pod } from "../../lib/plan/objects.ts";
import { isComplete, isCompleted, isOf, presentRun } from "../../lib/plan/run.ts";
import { isWorkerPod, objectName, ownerUid } from "../../lib/plan/world.ts";
import type { Kubelets, NodePod } from "../model/kubelets.ts";
import type { Change, Store } from "../model/store.ts";
import type { VirtualTime } from "../model/virtual-time.ts";
import type { WorkerProcess } from "../model/worker-process.ts";
import { formatMs, maxRequestsPerSecond, outside } from "./history.ts";

/** Why a history is not as it must be. */
export class Broken extends Error {}

type RunningPod = NodePod & { process: WorkerProcess };

/** Of sums of rates. */
const rounding = 1e-6;
/** No pass takes longer, calls that are held up included: whoever acts after that does not act on what was so before. */
const longestPassMs = 30_000;
/** Nor does any begin that much later with what a watch has told before. */
const longestHearsayMs = 1000;

export class Expectations {
  readonly #time: VirtualTime;
  readonly #store: Store;
  readonly #kubelets: Kubelets;
  readonly #isQuiet: () => boolean;
  /** By `namespace/name`: the rates of the specs in force since the oldest that has not yet been superseded. */
  readonly #rates = new Map<string, number[]>();
  #broken: string | undefined;
  /** Uids of LoadTests whose results have been looked at. */
  readonly #counted = new Set<string>();
  /** Hashes of runs with Pods that may have gone without a word. */
  readonly #shaken = new Set<string>();
  /** Uids of Pods that do not count in sums. */
  readonly #exempt = new Set<string>();
  /** Uids of Pods made by a pass that had begun before all was over: they must be ended, and may have begun by then. */
  readonly #belated = new Set<string>();
  /** Places whose failed worker somebody has deleted, with its Pod; when. */
  readonly #vacatedAtMs = new Map<string, number>();
  /** Uids of LoadTests that are gone, and hashes of runs that are complete; since when. */
  readonly #overSinceMs = new Map<string, number>();
  /** By `namespace/name`: when a LoadTest was deleted last. */
  readonly #deletedAtMs = new Map<string, number>();
  #isDirty = true;

  /** @param isQuiet Whether no controller waits for an answer: none is about to act on what it read before. */
  constructor(time: VirtualTime, store: Store, kubelets: Kubelets, isQuiet: () => boolean) {
    this.#time = time;
    this.#isQuiet = isQuiet;
    this.#store = store;
    this.#kubelets = kubelets;
    store.listen((change) => this.#notice(change));
  }

  /** This must not have happened. */
  break(words: string): void {
    this.#broken ??= words;
    this.touch();
  }

  /**
   * The share of this Pod does not count. It was created by a call that was held up on its way: the API knows no
   * condition that would hold such a call back once it is no longer wanted. It must be ended all the same.
   */
  exempt(uid: string): void {
    this.#exempt.add(uid);
  }

  /** Something has happened that matters to what must be so. */
  touch(): void {
    this.#isDirty = true;
  }

  /** Throws what is not so, if anything has happened since. */
  look(nowMs: number): void {
    if (this.#isDirty) this.check(nowMs);
  }

  /** Throws what is not so. */
  check(nowMs: number): void {
    this.#isDirty = false;
    if (this.#broken !== undefined) throw new Broken(this.#broken);
    const byLoadTest = new Map<string, RunningPod[]>();
    for (const pod of this.#kubelets.running()) {
      const key = `${pod.namespace}/${pod.loadTest}`;
      const list = byLoadTest.get(key);
      if (list === undefined) byLoadTest.set(key, [pod]);
      else list.push(pod);
    }
    for (const [key, workers] of byLoadTest) this.#checkWorkers(key, workers, nowMs);
    if (!this.#isQuiet()) return;
    for (const [key, rates] of this.#rates) {
      if (rates.length > 1 && this.#isSettled(key, byLoadTest.get(key) ?? [], nowMs)) rates.splice(0, rates.length - 1);
    }
  }

  #checkWorkers(key: string, workers: readonly RunningPod[], nowMs: number): void {
    const most = Math.max(0, ...(this.#rates.get(key) ?? []));
    const busy = workers.filter(({ process }) => process.shareAt(nowMs) > 0);
    const counted = busy.filter(({ uid }) => !this.#exempt.has(uid));
    const sum = counted.reduce((total, { process }) => total + process.shareAt(nowMs), 0);
    if (sum > most * (1 + rounding) + rounding) {
      const shares = counted.map(({ name, process }) => `${name} ${process.shareAt(nowMs).toFixed(2)}`).join(", ");
      throw new Broken(`${key}: ${sum.toFixed(2)} requests per second, must be at most ${most}: ${shares}`);
    }
    const seats = busy.map(({ run, process: { plan } }) => `${plan.worker.index} of run ${run}`);
    const twice = seats.find((seat, index) => seats.indexOf(seat) !== index);
    if (twice !== undefined) throw new Broken(`${key}: two workers hold seat ${twice}`);
    const loadTest = this.#store.get("loadtests", key) as unknown as LoadTest | undefined;
    if (loadTest === undefined || counted.length === 0) return;
    const { hash, status } = presentRun(loadTest);
    const late = counted.find(({ run, uid }) => run === hash && !this.#belated.has(uid));
    if (isCompleted(status) && late !== undefined) throw new Broken(`${key} is complete, and "${late.name}" sends`);
  }

  #notice({ plural, object, before, isDeletion }: Change): void {
    this.touch();
    if (plural === "loadtests") this.#noticeLoadTest(object as never, before as never, isDeletion);
    if (plural !== "pods") return;
    if (before === undefined) this.#noticePod(object as never);
    const { metadata, status } = object as Observed<Pod>;
    const isOutside = ({ origin }: WorkerPlan["backends"][number]) => origin.host.startsWith(`${outside}.`);
    if (planIn(object as never)?.backends.some(isOutside)) this.break(`Pod "${metadata.name}" is to send outside`);
    const isFailed = status?.phase === "Failed";
    if (isDeletion && isFailed) this.#vacatedAtMs.set(placeOf(object as never), this.#time.nowMs);
    const isShaken = isDeletion || metadata.deletionTimestamp !== undefined || isFailed;
    if (isShaken) this.#shaken.add(metadata.labels?.[runLabel] ?? "");
  }

  #noticeLoadTest(loadTest: LoadTest, before: LoadTest | undefined, isDeletion: boolean): void {
    const key = objectName(loadTest);
    const rates = this.#rates.get(key) ?? [];
    this.#rates.set(key, rates);
    const complete = loadTest.status?.conditions?.find(({ type }) => type === "Complete");
    if (complete?.reason === "WorkersFinished" && !this.#kubelets.ranFor.has(loadTest.metadata.uid)) {
      this.break(`LoadTest "${key}" is said to be complete, and no worker of its own ever ran`);
    }
    if (complete?.reason === "WorkersFinished" && loadTest.metadata.generation === 1) {
      const dueMs =
        Date.parse(loadTest.status?.startTime ?? "") + (effectiveSpec(loadTest.spec).durationNs ?? Infinity) / 1e6;
      if (!(this.#time.nowMs >= dueMs))
        this.break(`LoadTest "${key}" is said to be complete before its schedule was over`);
    }
    const isSameSpec = before?.metadata.generation === loadTest.metadata.generation;
    if (isSameSpec && isComplete(before) && !isComplete(loadTest))
      this.break(`LoadTest "${key}" is no longer complete`);
    if (isDeletion) this.#noticeEnd(loadTest.metadata.uid);
    else if (isComplete(loadTest)) this.#noticeEnd(presentRun(loadTest).hash);
    else this.#overSinceMs.delete(presentRun(loadTest).hash); // it is run again
    if (!isComplete(loadTest) || isDeletion) this.#counted.delete(loadTest.metadata.uid);
    else if (!this.#counted.has(loadTest.metadata.uid)) {
      this.#counted.add(loadTest.metadata.uid);
      this.#checkResults(loadTest);
    }
    if (isDeletion) this.#deletedAtMs.set(key, this.#time.nowMs);
    if (isDeletion) rates.push(0);
    else if (!isSameSpec) rates.push(wantedRate(loadTest));
  }

  /** What a run that has just ended is said to have done, against what its workers did. */
  #checkResults(loadTest: LoadTest): void {
    const { hash, status } = presentRun(loadTest);
    const { results, conditions = [] } = status;
    if (results === undefined) return;
    const byPod = this.#kubelets.completed.get(hash) ?? new Map<string, number>();
    const completed = [...byPod.values()].reduce((sum, count) => sum + count, 0);
    const words = `LoadTest "${objectName(loadTest)}" is said to have completed ${results.completed} requests`;
    if (results.completed > completed) this.break(`${words}, and its workers completed ${completed}`);
    if (!this.#shaken.has(hash) && results.completed < completed) this.break(`${words} of ${completed}`);
    const spec = effectiveSpec(loadTest.spec);
    const isWhole = conditions.some(({ type, reason }) => type === "Complete" && reason === "WorkersFinished");
    if (!isWhole || loadTest.metadata.generation > 1 || spec.arrivals !== "Constant") return;
    const total = Math.ceil((rateCurve(spec)?.total ?? 0) * (1 - 1e-14)); // but for rounding
    // Its schedule began anew if nobody could tell of the first time, whose requests count too.
    const isRepeated = (this.#kubelets.starts.get(hash)?.size ?? 0) > 1;
    if (isRepeated ? results.scheduled < total : results.scheduled !== total) {
      this.break(`LoadTest "${objectName(loadTest)}": ${results.scheduled} requests were due, must be ${total}`);
    }
  }

  #noticeEnd(what: string): void {
    if (!this.#overSinceMs.has(what)) this.#overSinceMs.set(what, this.#time.nowMs);
  }

  #noticePod(pod: Observed<Pod>): void {
    const { labels = {}, name } = pod.metadata;
    if (!isWorkerPod(pod) || !/-[0-9a-f]{8}-\d+(-\d+)?$/.test(name)) this.break(`Pod "${name}" has no derived name`);
    for (const what of [ownerUid(pod), labels[runLabel]]) {
      const agoMs = this.#time.nowMs - (this.#overSinceMs.get(what ?? "") ?? Number.POSITIVE_INFINITY);
      if (agoMs >= 0) this.#belated.add(pod.metadata.uid);
      if (agoMs > longestPassMs) this.break(`Pod "${name}" was made ${formatMs(agoMs).trim()} after all was over`);
    }
    const place = placeOf(pod);
    // Who has seen a failed worker names the next one after it, who has not does not: they must be two leaders. That
    // both Pods never send at once, and that one of them is ended, has to be so all the same.
    const isVacated = this.#time.nowMs - (this.#vacatedAtMs.get(place) ?? Number.NEGATIVE_INFINITY) <= longestPassMs;
    const rival = this.#workerPods(`${pod.metadata.namespace}/${labels[loadTestLabel]}`).find(
      (other) => other.metadata.uid !== pod.metadata.uid && isWanted(other) && placeOf(other) === place,
    );
    if (rival === undefined || isVacated) return;
    this.break(`Pods "${name}" and "${rival.metadata.name}" are both worker ${place}`);
  }

  /** Whether nothing is left that could go by a spec before the present one. */
  #isSettled(key: string, running: readonly RunningPod[], nowMs: number): boolean {
    const loadTest = this.#store.get("loadtests", key) as unknown as LoadTest | undefined;
    const pods = this.#workerPods(key);
    if (nowMs - (this.#deletedAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < longestHearsayMs) return false;
    if (loadTest === undefined) return running.length === 0 && pods.length === 0;
    const { uid, generation } = loadTest.metadata;
    if (loadTest.status?.observedGeneration !== generation) return false;
    if (pods.some((pod) => ownerUid(pod) !== uid) || running.some(({ owner }) => owner !== uid)) return false;
    const alive = pods.filter(hasNotEnded);
    const isDelivered = ({ uid, process }: RunningPod) =>
      alive.some(({ metadata }) => metadata.uid === uid && metadata.annotations?.[planAnnotation] === process.text);
    if (!running.every(isDelivered) || !running.every(({ process }) => process.isSettledAt(nowMs))) return false;
    const isShown = ({ metadata }: Observed<Pod>) => {
      const seen = this.#kubelets.get(metadata.uid);
      return seen === undefined || seen.planText === metadata.annotations?.[planAnnotation];
    };
    if (!alive.every(isShown)) return false;
    if (!alive.every((pod) => isPast(planIn(pod), nowMs))) return false; // who runs next begins with the rate before
    const held = alive.reduce((sum, pod) => sum + mostOf(planIn(pod)), 0);
    return held <= wantedRate(loadTest) * (1 + rounding);
  }

  #workerPods(key: string): Observed<Pod>[] {
    return (this.#store.all("pods") as unknown as Observed<Pod>[]).filter(
      ({ metadata }) => `${metadata.namespace}/${metadata.labels?.[loadTestLabel]}` === key,
    );
  }

  /** What is not yet as it is to be in the end; undefined: all is. */
  whatIsMissing(nowMs: number): string | undefined {
    const loadTests = this.#store.all("loadtests") as unknown as LoadTest[];
    const uids = new Set(loadTests.map(({ metadata }) => metadata.uid));
    for (const pod of this.#store.all("pods") as unknown as Observed<Pod>[]) {
      if (!uids.has(ownerUid(pod) ?? "")) return `Pod "${pod.metadata.name}" works for no LoadTest`;
    }
    for (const { name, owner } of this.#kubelets.running()) {
      if (!uids.has(owner ?? "")) return `the process of "${name}" works for no LoadTest`;
    }
    return loadTests.map((loadTest) => this.#whatIsMissingOf(loadTest, nowMs)).find((words) => words !== undefined);
  }

  #whatIsMissingOf(loadTest: LoadTest, nowMs: number): string | undefined {
    const { uid, generation, deletionTimestamp } = loadTest.metadata;
    const key = objectName(loadTest);
    const says = (words: string) => `LoadTest "${key}" ${words}`;
    const { status } = loadTest;
    if (deletionTimestamp !== undefined) return says("is still being deleted");
    if (status?.observedGeneration !== generation) {
      return says(`is of generation ${generation}, its status of ${status?.observedGeneration}`);
    }
    const pods = this.#workerPods(key);
    const running = [...this.#kubelets.running()].filter(({ owner }) => owner === uid);
    const condition = (type: string) => status.conditions?.find((one) => one.type === type);
    const accepted = condition("Accepted");
    const run = presentRun(loadTest);
    if (pods.some((pod) => !isOf(pod, run))) return says("has a Pod of a former run");
    if (isComplete(loadTest)) {
      if (running.length > 0) return says(`is complete, and ${running.length} workers run`);
      if (status.results !== undefined && !isDeepStrictEqual(this.#keptResults(key, run.hash), status.results)) {
        return says("has results that are not kept as they are");
      }
      return condition("Passed")?.reason === "InProgress" ? says("is complete without a verdict") : undefined;
    }
    const lacks = ["CanaryNotFound", "ServiceNotFound"].find((reason) => reason === accepted?.reason);
    if (lacks !== undefined) return says(`is not accepted: ${lacks}`); // in the end all of them are there
    const spec = effectiveSpec(loadTest.spec);
    if (spec.state === "Stopped") return says("is to be stopped, and is not complete");
    const isAwaited = spec.startDeadlineNs !== undefined && status.startTime === undefined;
    if (isAwaited) return says("has neither begun nor ended by its startDeadline");
    const isOutside = spec.service === outside && accepted?.reason !== "RateAboveLimit";
    if (isOutside !== (accepted?.reason === "TargetNotAllowed")) {
      return says(`aims at "${spec.service}", which is said to be ${accepted?.reason}`);
    }
    const isPaused = spec.state === "Paused";
    const plans = new Map(pods.map(({ metadata }) => [metadata.uid, metadata.annotations?.[planAnnotation]]));
    const isBehind = running.some(({ uid, process }) => plans.get(uid) !== process.text);
    if (isOutside) {
      // Its workers go on as they are told, as long as they last.
      if (isBehind) return says("has a worker that goes on by an older plan");
      if (status.startTime === undefined) return undefined;
      if (spec.durationNs !== undefined && !isPaused) return says("has not ended");
      return running.length > 0 && condition("RateAchieved") === undefined
        ? says("does not say whether its rate is kept")
        : undefined;
    }
    if (accepted?.status !== "True") {
      const ready = Math.max(running.length, status.workers?.ready ?? 0);
      if (ready > 0) return says(`is not accepted, and has, or is said to have, ${ready} workers`);
      const { durationNs, stages, paused } = status.timeline ?? {};
      if (paused === undefined && (durationNs ?? stages) !== undefined) return says("has not ended");
      const hasBegun = pods.some(({ metadata }) => this.#kubelets.get(metadata.uid)?.logged?.hasBegun === true);
      return hasBegun && status.startTime === undefined
        ? says("has begun by a worker's log, and does not say so")
        : undefined;
    }
    if (isGivenUp(pods, spec.workers)) {
      const goesOn = isPaused || spec.durationNs === undefined || status.startTime === undefined;
      return goesOn ? undefined : says("has not failed, though its workers have, and its time is over");
    }
    if (status.workers?.desired !== spec.workers) return says(`says ${status.workers?.desired} workers are desired`);
    if (status.workers.ready !== running.length) {
      return says(`says ${status.workers.ready} workers are ready, and ${running.length} are`);
    }
    if (pods.some(({ metadata }) => metadata.deletionTimestamp !== undefined)) return says("has a Pod that is to go");
    if (isBehind) return says("has a worker that goes on by an older plan");
    if (
      running.some(
        ({ process }) => !isDeepStrictEqual(formatShares(process.plan.backends), this.#wantedShares(loadTest)),
      )
    ) {
      return says("has a worker that splits its load as the Canary was"); // an edit of that is no generation of the LoadTest
    }
    if (spec.durationNs !== undefined && !isPaused) return says("has not ended");
    const seats = new Set(running.map(({ process }) => process.plan.worker.index));
    if (seats.size !== spec.workers || running.length !== spec.workers) {
      return says(`has ${running.length} workers in ${seats.size} seats, must have ${spec.workers}`);
    }
    // What is held does not tell of a paused run: nobody holds anything.
    const waits = ({ process: { plan } }: (typeof running)[number]) => plan.barrier && plan.startAtMs === undefined;
    if (status.startTime !== undefined && running.some(waits)) return says("has a worker that waits for the start");
    const held = heldBy(running, nowMs);
    const wanted = isPaused ? 0 : spec.requestsPerSecond;
    if (Math.abs(held - wanted) > rounding * wanted) return says(`loads at ${held}, must at ${wanted}`);
    if (condition("RateAchieved") === undefined) return says("does not say whether its rate is kept");
    const phase = isPaused ? "Paused" : "Running";
    return status.phase !== phase ? says(`is said to be ${status.phase}, must be ${phase}`) : undefined;
  }

  #wantedShares({ metadata: { namespace }, spec }: LoadTest): string[] {
    const canary = this.#store.get("canaries", `${namespace}/${spec.canary}`) as unknown as Canary | undefined;
    const backends = canary?.spec.backends ?? [{ service: spec.service, percent: 100 }];
    return formatShares(backends.map(({ service, percent }) => ({ name: `${service}.${namespace}.svc`, percent })));
  }

  #keptResults(key: string, hash: string): LoadTestResult["results"] {
    const kept = this.#store.get("loadtestresults", `${key}-${hash}`) as unknown as LoadTestResult | undefined;
    return kept?.complete === true ? kept.results : undefined;
  }
}

/** Whether failed workers are not replaced: one too many times, or most of them at once (lib/plan/repair.ts). */
function isGivenUp(pods: readonly Observed<Pod>[], seats: number): boolean {
  const workers = pods.map((pod) => workerOf(pod));
  const latest = [...latestBySeat(workers).values()].filter(({ seat }) => seat < seats);
  const failed = (ones: readonly Worker[]) => ones.filter(hasFailed).length;
  const isHopeless = latest.some(({ seat }) => failed(workers.filter((worker) => worker.seat === seat)) >= 5);
  return isHopeless || (seats > 2 && failed(latest) > seats / 2);
}

function heldBy(running: readonly RunningPod[], nowMs: number): number {
  return running.reduce((sum, { process }) => sum + process.shareAt(nowMs), 0);
}

/** The most that a LoadTest asks for; 0 where it must not run. */
function wantedRate({ spec, metadata }: LoadTest): number {
  const { state } = spec;
  if (metadata.deletionTimestamp !== undefined || state === "Paused" || state === "Stopped") return 0;
  const rate = highestRate(spec);
  return rate > maxRequestsPerSecond ? 0 : rate;
}

const plans = new Map<string, WorkerPlan>();

function planIn(pod: Pod): WorkerPlan | undefined {
  const text = pod.metadata.annotations?.[planAnnotation];
  if (text === undefined) return undefined;
  const known = plans.get(text);
  if (known !== undefined) return known;
  if (plans.size > 1000) plans.clear();
  const plan: WorkerPlan = JSON.parse(text);
  plans.set(text, plan);
  return plan;
}

/** Whether the last change that the plan tells of has come about. */
function isPast(plan: WorkerPlan | undefined, nowMs: number): boolean {
  const last = plan?.changes?.at(-1);
  return last === undefined || plan?.startAtMs === undefined || nowMs >= plan.startAtMs + last.atNs / 1e6;
}

/** The most that a worker may ever hold by its plan, requests per second; rates of later changes included. */
function mostOf(plan: WorkerPlan | undefined): number {
  const last = plan?.changes?.at(-1) ?? plan;
  if (plan === undefined || last === undefined || plan.stop || ("paused" in last && last.paused)) return 0;
  const rates = [last.requestsPerSecond as number, ...(last.stages ?? []).map((stage) => stage.requestsPerSecond)];
  return Math.max(...rates) / plan.worker.count;
}

function placeOf({ metadata }: Pod): string {
  return `${metadata.labels?.[workerLabel]} of run ${metadata.labels?.[runLabel]}`;
}

function hasNotEnded({ status }: Pod): boolean {
  return status?.phase !== "Succeeded" && status?.phase !== "Failed";
}

function isWanted(pod: Observed<Pod>): boolean {
  return hasNotEnded(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** Of the backends that get any. */
function formatShares(backends: readonly { name: string; percent: number }[]): string[] {
  const used = backends.filter(({ percent }) => percent > 0);
  return used.map(({ name, percent }) => `${name} ${percent}`).toSorted();
}
