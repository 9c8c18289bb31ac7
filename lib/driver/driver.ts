// The driver: one event loop that sends to all backends of a plan when their requests are due, looks after its
// connections and after itself in between, and ends when nothing is due or in flight any more.
import type { RateCurve } from "../load/rate-curve.ts";
import type { WorkerPlan } from "../load/worker-plan.ts";
import { askForPreciseTimers, monotonicNs } from "../runtime/clock.ts";
import type { GeneratorReport } from "../stats/generator.ts";
import type { BackendRecording } from "../stats/recording.ts";
import { Backend } from "./backend.ts";
import { GeneratorWatch } from "./generator-watch.ts";
import { createPacer } from "./pacer.ts";

/** After a stop, responses are waited for this long at most. */
const drainLimitNs = 5e9;
const checkNs = 10e6;
const snapshotNs = 1e9;
const addressRefreshNs = 30e9;
/** A start this long ago or longer is that of an earlier process. */
const lateStartNs = 100e6;

export class Driver {
  readonly #plan: WorkerPlan;
  readonly #backends: readonly Backend[];
  readonly #watch: GeneratorWatch;
  #startNs = 0;
  #stoppedAtNs = Number.POSITIVE_INFINITY;

  private constructor(plan: WorkerPlan, backends: readonly Backend[], watch: GeneratorWatch) {
    this.#plan = plan;
    this.#backends = backends;
    this.#watch = watch;
  }

  /** A driver for the plan. Rejects with a TargetError of kind `dns`, or when a file cannot be read. */
  static async create(plan: WorkerPlan): Promise<Driver> {
    const watch = new GeneratorWatch();
    const used = plan.backends.flatMap(({ percent }, index) => (percent > 0 ? [index] : []));
    return new Driver(plan, await Promise.all(used.map((index) => Backend.create(plan, index, watch))), watch);
  }

  /**
   * Opens all connections, for as long as the timeout or until `stop` is aborted. Rejects with the TargetError of the
   * last failure when not one to a backend could be opened.
   */
  async open(stop: AbortSignal): Promise<void> {
    await Promise.all(this.#backends.map((backend) => backend.pool.open(stop)));
  }

  /**
   * Sends what the plan asks for, request 0 at the monotonic instant `startNs`, until the schedule ends or `stop` is
   * aborted, and waits for the responses. Of a start in the past, what was due before now counts as lost: an earlier
   * process may have sent it.
   */
  async run(startNs: number, stop: AbortSignal, onSnapshot: (elapsedNs: number) => void): Promise<void> {
    this.#startNs = startNs;
    const nowNs = monotonicNs();
    this.#watch.begin(nowNs);
    for (const backend of this.#backends) backend.begin(startNs, nowNs - startNs - lateStartNs);
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

  /** Goes on by another rate from now on. */
  follow(curve: RateCurve): void {
    const elapsedNs = Math.max(0, monotonicNs() - this.#startNs);
    for (const backend of this.#backends) backend.follow(curve, elapsedNs);
  }

  /**
   * What is recorded so far; backends of 0 % have no part in it. The histograms are the driver's own: merge or encode
   * them, keep no hold.
   */
  recordings(): BackendRecording[] {
    const elapsedNs = monotonicNs() - this.#startNs;
    return this.#backends.map((backend) => ({ name: backend.name, paths: backend.recordings(elapsedNs) }));
  }

  /** How the generator itself did so far. */
  generatorReport(): GeneratorReport {
    return this.#watch.report(monotonicNs());
  }

  /** For how long requests have been due so far, seconds. */
  scheduledSeconds(): number {
    const endNs = Math.max(...this.#backends.map((backend) => backend.endNs));
    return Math.max(0, Math.min(monotonicNs() - this.#startNs, this.#stoppedAtNs, endNs)) / 1e9;
  }

  /** Requests completed while requests were due. */
  completedInTime(): number {
    return this.#backends.reduce((sum, backend) => sum + backend.completedInTime, 0);
  }

  #stop(elapsedNs: number): void {
    this.#stoppedAtNs = Math.min(this.#stoppedAtNs, elapsedNs);
    for (const backend of this.#backends) backend.stop(elapsedNs);
  }

  #check(elapsedNs: number): void {
    this.#watch.check(
      this.#startNs + elapsedNs,
      this.#backends.some((backend) => backend.isOwing(elapsedNs)),
    );
    for (const backend of this.#backends) backend.expire();
  }

  #isOver(elapsedNs: number): boolean {
    const isExhausted = this.#backends.every((backend) => backend.isExhausted(elapsedNs));
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
