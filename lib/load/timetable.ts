// When one backend's requests are due by the clock: its workload, from the instant of the start until it is stopped.
//
//   start         begun late               now               stop, or the workload's end
//     ├─── skipped ───┼─── taken or owed ────┼──── to come ──────┤
//
// `elapsedNs` is ns since the start, `nowNs` an instant of the monotonic clock.
import { scheduleEndNs } from "./planned-schedule.ts";
import type { WorkerPlan } from "./worker-plan.ts";
import { Workload } from "./workload.ts";

export class Timetable {
  readonly #backend: number;
  #plan: WorkerPlan;
  #workload: Workload;
  /** Of the plan's whole schedule, as `endsAtNs` is hot. */
  #scheduleEndNs: number;
  #skipped: readonly number[] = [];
  /** Infinity before the start: nothing is due. */
  #startNs = Number.POSITIVE_INFINITY;
  /** ns since the start; Infinity while it goes on. */
  #stoppedAtNs = Number.POSITIVE_INFINITY;

  /** Of backend `backend`, by `plan` until another is followed. */
  constructor(plan: WorkerPlan, backend: number) {
    this.#backend = backend;
    this.#plan = plan;
    this.#workload = new Workload(plan, backend);
    this.#scheduleEndNs = scheduleEndNs(plan);
  }

  /**
   * Request 0 is due at the monotonic instant `startNs`. What was due until `afterNs` (ns after it) is nobody's business
   * here; what was due after that and until `lostUntilNs` is skipped.
   */
  begin(startNs: number, afterNs: number, lostUntilNs: number): void {
    this.#startNs = startNs;
    this.#workload = new Workload(this.#plan, this.#backend, afterNs);
    this.#skipped = this.#workload.due(lostUntilNs);
    this.#workload.skip(lostUntilNs);
  }

  /** Goes on by another plan, from `elapsedNs` on. */
  follow(plan: WorkerPlan, elapsedNs: number): void {
    this.#plan = plan;
    this.#workload.follow(plan, elapsedNs);
    this.#scheduleEndNs = scheduleEndNs(plan);
  }

  /** No more requests are due from `elapsedNs` on. */
  stop(elapsedNs: number): void {
    this.#stoppedAtNs = Math.min(this.#stoppedAtNs, elapsedNs);
  }

  /** How long after the start `nowNs` is; -Infinity before there is one. */
  elapsedNs(nowNs: number): number {
    return nowNs - this.#startNs;
  }

  /**
   * The monotonic instant until which requests are due by the plan, to whichever backend; Infinity without end. What this
   * one still completes by then counts in the throughput, also when it gets no more itself. Hot.
   */
  get endsAtNs(): number {
    return this.#startNs + Math.min(this.#scheduleEndNs, this.#stoppedAtNs);
  }

  /** Whether it has ended or was stopped, and nothing is owed. */
  isExhausted(elapsedNs: number): boolean {
    return elapsedNs > this.#stoppedAtNs || this.#workload.isExhausted(elapsedNs);
  }

  /** How many requests have been due until `elapsedNs`, by request of the plan. */
  due(elapsedNs: number): number[] {
    return this.#workload.due(Math.min(elapsedNs, this.#stoppedAtNs));
  }

  /** Of those, the ones due before a start in mid-schedule: what became of them, an earlier process knew. */
  get skipped(): readonly number[] {
    return this.#skipped;
  }

  /** Which request of the plan is next. */
  get request(): number {
    return this.#workload.request;
  }

  /** When the next request is due, ns since the start, asked at `elapsedNs`; Infinity when there is none. */
  nextNs(elapsedNs: number): number {
    return this.#workload.nextNs(elapsedNs);
  }

  /** The same as instants of the monotonic clock. */
  nextAtNs(nowNs: number): number {
    return this.#startNs + this.#workload.nextNs(this.elapsedNs(nowNs));
  }

  /** For how long the next request has been due; negative while it is not, before the start and after a stop. Hot. */
  waitedNs(nowNs: number): number {
    const elapsedNs = this.elapsedNs(nowNs);
    if (elapsedNs < 0 || elapsedNs >= this.#stoppedAtNs) return Number.NEGATIVE_INFINITY;
    return elapsedNs - this.#workload.nextNs(elapsedNs);
  }

  /** Goes on to the request after the next. */
  advance(): void {
    this.#workload.advance();
  }
}
