// The driver: one event loop that sends to all backends of a plan when their requests are due, looks after its
// connections and after itself in between, and ends when nothing is due or in flight any more.
import { liveChangeProblem } from "../load/live-change.ts";
import { beforeStartNs, rateCurve, scheduleEndNs } from "../load/planned-schedule.ts";
import type { WorkerPlan } from "../load/worker-plan.ts";
import { askForPreciseTimers, monotonicNs, sleep } from "../runtime/clock.ts";
import type { GeneratorReport } from "../stats/generator.ts";
import type { BackendRecording, WorkerRecording } from "../stats/recording.ts";
import { Backend } from "./backend.ts";
import { GeneratorWatch } from "./generator-watch.ts";
import { createPacer } from "./pacer.ts";
import { type ReadyRequest, readyRequest } from "./planned-requests.ts";
import { TargetError } from "./target-error.ts";

/** After a stop, responses are waited for this long at most. */
const drainLimitNs = 5e9;
const checkNs = 10e6;
const snapshotNs = 1e9;
const addressRefreshNs = 30e9;
/** A start that was told this long ago or longer is that of an earlier process. */
const lateStartNs = 100e6;
/** A change waits for connections to new backends for so long at most. */
const newBackendWaitMs = 500;

export class Driver {
  #plan: WorkerPlan;
  readonly #backends: Backend[] = [];
  readonly #watch = new GeneratorWatch();
  /** What an earlier process recorded, until `scheduledSeconds`. */
  #former: WorkerRecording | undefined;
  #hasBegun = false;
  #startNs = 0;
  #stoppedAtNs = Number.POSITIVE_INFINITY;

  private constructor(plan: WorkerPlan) {
    this.#plan = plan;
  }

  /** A driver for the plan. Rejects when a file cannot be read. */
  static async create(plan: WorkerPlan): Promise<Driver> {
    const driver = new Driver(plan);
    driver.#take(plan, await driver.#prepare(plan));
    return driver;
  }

  /**
   * Opens all connections, for as long as the timeout or until `stop` is aborted. Rejects with the TargetError of the
   * last failure when not one to a backend could be opened, or with one of kind `dns`.
   */
  async open(stop: AbortSignal): Promise<void> {
    await Promise.all(this.#used(this.#plan).map((backend) => backend.open(this.#plan, stop)));
  }

  /** Goes on from the checkpoint of an earlier process; before the run. */
  resume(former: WorkerRecording): void {
    this.#former = former;
    this.#watch.resume(former.generator);
    for (const [index, { paths }] of former.backends.entries()) this.#backends[index]?.resume(paths);
  }

  /**
   * Sends what the plan asks for, request 0 at the monotonic instant `startNs`, until the schedule ends or `stop` is
   * aborted, and waits for the responses. Of a start in the past, what was due before now counts as lost, unless the start
   * is the driver's own: an earlier process may have sent it.
   */
  async run(startNs: number, stop: AbortSignal, onSnapshot: (elapsedNs: number) => void): Promise<void> {
    this.#hasBegun = true;
    this.#startNs = startNs;
    const nowNs = monotonicNs();
    this.#watch.begin(nowNs);
    const { joinNs = beforeStartNs } = this.#plan;
    // What was due after the checkpoint of an earlier process, that one may have sent.
    const afterNs = Math.max(joinNs, (this.#former?.scheduledSeconds ?? -1) * 1e9);
    const isFirst = this.#former === undefined && this.#plan.startAtMs === undefined;
    const lostUntilNs = isFirst ? beforeStartNs : nowNs - startNs - (this.#former === undefined ? lateStartNs : 0);
    for (const backend of this.#backends) backend.begin(startNs, afterNs, lostUntilNs);
    if (stop.aborted && isFirst) this.#stop(beforeStartNs); // however late it is by now
    const pace = createPacer(this.#plan.pacing);
    askForPreciseTimers();
    let nextCheckNs = 0;
    let nextSnapshotNs = snapshotNs;
    let nextRefreshNs = addressRefreshNs;
    await new Promise<void>((resolve) => {
      const tick = () => {
        if (stop.aborted) this.#stop(monotonicNs() - startNs);
        for (const backend of this.#backends) backend.sendDue();
        const elapsedNs = monotonicNs() - startNs;
        if (elapsedNs >= nextCheckNs) {
          this.#check(elapsedNs);
          nextCheckNs = elapsedNs + checkNs;
        }
        if (elapsedNs >= nextSnapshotNs) {
          onSnapshot(elapsedNs);
          nextSnapshotNs = (Math.floor(elapsedNs / snapshotNs) + 1) * snapshotNs;
        }
        if (elapsedNs >= nextRefreshNs) {
          for (const backend of this.#backends) void backend.pool.refreshAddresses();
          nextRefreshNs = elapsedNs + addressRefreshNs;
        }
        if (this.#isOver(elapsedNs)) resolve();
        else pace(tick, this.#untilDueNs(elapsedNs), this.#isExpecting());
      };
      tick();
    });
    for (const backend of this.#backends) backend.pool.close();
  }

  /**
   * Goes on by another plan, once backends that get their first requests have connections or have had their time.
   * Rejects when the plan needs a new worker, or when a file cannot be read; the present one then goes on.
   */
  async follow(plan: WorkerPlan): Promise<void> {
    const problem = liveChangeProblem(this.#plan, plan);
    if (problem !== undefined) throw new Error(`Cannot follow the changed worker plan: ${problem}`);
    const requests = await this.#prepare(plan);
    await this.#openNew(plan);
    this.#take(plan, requests);
  }

  /** Makes the backends that the plan adds; resolves with its requests for each backend. */
  async #prepare(plan: WorkerPlan): Promise<ReadyRequest[][]> {
    const requests = await Promise.all(
      plan.backends.map(({ origin }) => Promise.all(plan.requests.map((request) => readyRequest(origin, request)))),
    );
    for (const [index, backend] of plan.backends.entries()) {
      this.#backends[index] ??= await Backend.create(this.#plan, backend, index, this.#watch);
    }
    return requests;
  }

  /** Opens connections to backends that have never had any, and have requests by the plan. */
  async #openNew(plan: WorkerPlan): Promise<void> {
    const added = this.#used(plan).filter(({ pool }) => !pool.isDialing);
    if (added.length === 0) return;
    const opening = added.map(async (backend) => {
      try {
        await backend.open(plan, AbortSignal.timeout(newBackendWaitMs));
      } catch (error: unknown) {
        if (!(error instanceof TargetError)) throw error; // its requests will fail, and say why
      }
    });
    await Promise.race([Promise.all(opening), sleep(newBackendWaitMs)]);
    if (!this.#hasBegun) return;
    const elapsedNs = this.#elapsedNs;
    for (const backend of added) backend.begin(this.#startNs, elapsedNs, elapsedNs);
  }

  #take(plan: WorkerPlan, requests: readonly ReadyRequest[][]): void {
    const elapsedNs = Math.max(beforeStartNs, this.#elapsedNs);
    this.#plan = plan;
    for (const [index, backend] of this.#backends.entries()) backend.follow(plan, requests[index] ?? [], elapsedNs);
  }

  #used({ backends }: WorkerPlan): Backend[] {
    return this.#backends.filter((_, index) => (backends[index]?.percent ?? 0) > 0);
  }

  /**
   * What is recorded so far, in the order of the plan. The histograms are the driver's own: merge or encode them, keep no
   * hold.
   */
  recordings(): BackendRecording[] {
    const elapsedNs = this.#elapsedNs;
    return this.#backends.map((backend) => ({ name: backend.name, paths: backend.recordings(elapsedNs) }));
  }

  /** What would be known should the process end at `elapsedNs`: all that has its outcome by then; the rest is lost. */
  checkpoint(elapsedNs: number): BackendRecording[] {
    return this.#backends.map((backend) => ({ name: backend.name, paths: backend.checkpoint(elapsedNs) }));
  }

  /** How the generator itself did so far. */
  generatorReport(): GeneratorReport {
    return this.#watch.report(monotonicNs());
  }

  /** Its share of the rate that was asked for in the second before `elapsedNs`, and its connections. */
  condition(elapsedNs: number): { askedPerSecond: number; openConnections: number } {
    const curve = rateCurve(this.#plan);
    const asked = curve === undefined ? 0 : curve.countAt(elapsedNs) - curve.countAt(elapsedNs - 1e9);
    const openConnections = this.#backends.reduce((sum, { pool }) => sum + pool.openCount, 0);
    return { askedPerSecond: asked / this.#plan.worker.count, openConnections };
  }

  /** For how long requests have been due so far, seconds. */
  scheduledSeconds(): number {
    const endNs = scheduleEndNs(this.#plan);
    return Math.max(0, Math.min(this.#elapsedNs, this.#stoppedAtNs, endNs)) / 1e9;
  }

  /** Whether it was stopped while requests were due. */
  get wasCutShort(): boolean {
    return this.#stoppedAtNs < scheduleEndNs(this.#plan);
  }

  /** Requests completed while requests were due. */
  completedInTime(): number {
    const former = this.#former?.completedInTime ?? 0;
    return this.#backends.reduce((sum, backend) => sum + backend.completedInTime, former);
  }

  get #elapsedNs(): number {
    return this.#hasBegun ? monotonicNs() - this.#startNs : beforeStartNs;
  }

  #stop(elapsedNs: number): void {
    this.#stoppedAtNs = Math.min(this.#stoppedAtNs, elapsedNs);
    for (const { timetable } of this.#backends) timetable.stop(elapsedNs);
  }

  #check(elapsedNs: number): void {
    this.#watch.check(
      this.#startNs + elapsedNs,
      this.#backends.some((backend) => backend.isOwing(elapsedNs)),
    );
    for (const backend of this.#backends) backend.expire();
  }

  #isOver(elapsedNs: number): boolean {
    const isExhausted = this.#backends.every(({ timetable }) => timetable.isExhausted(elapsedNs));
    return (
      (isExhausted && !this.#isExpecting()) ||
      elapsedNs - this.#stoppedAtNs > Math.min(drainLimitNs, this.#plan.timeoutNs)
    );
  }

  #isExpecting(): boolean {
    for (const backend of this.#backends) if (backend.inFlight > 0) return true;
    return false;
  }

  #untilDueNs(elapsedNs: number): number {
    let untilNs = Number.POSITIVE_INFINITY;
    for (const backend of this.#backends) untilNs = Math.min(untilNs, backend.untilDueNs(elapsedNs));
    return untilNs;
  }
}
