// What one backend is due from one worker, over all changes of the worker's plan.
//
//   leg 0  ├── due by plan A ──┤ switch
//   leg 1                      ├── due by plan B ──▶
//
// What was due until a switch stays due by the plan that held then, also when it is sent later; after it the new plan's
// instants hold. So nothing is due twice, and there is never a burst to catch up.
import { beforeStartNs, rateCurve, requestTurns, scheduleAfter, scheduleOf } from "./planned-schedule.ts";
import { OpenLoop, type Schedule } from "./schedule.ts";
import type { Turns } from "./turns.ts";
import type { WorkerPlan } from "./worker-plan.ts";

interface Leg {
  plan: WorkerPlan;
  /** Its requests are due after this instant (ns since the start) and until that. */
  afterNs: number;
  untilNs: number;
  schedule: Schedule;
  turns: Turns;
  /** Number of its first request in the schedule. */
  first: number;
}

export class Workload {
  readonly #backend: number;
  /** What is to be sent next comes from the first, what is due now from the last that has begun. */
  #legs: Leg[];
  #walking: Leg;
  /** Requests due in legs that lie behind, by request of the plan. */
  #settled: number[] = [];

  /** All that is due to backend `backend` after `afterNs` (ns since the start). */
  constructor(plan: WorkerPlan, backend: number, afterNs = beforeStartNs) {
    this.#backend = backend;
    this.#walking = this.#leg(plan, afterNs);
    this.#legs = [this.#walking];
  }

  /** When the next request is due, asked at `elapsedNs`; Infinity when there is none. */
  nextNs(elapsedNs: number): number {
    return this.#walking.schedule.nextNs(elapsedNs);
  }

  /** Which request of the plan is next. */
  get request(): number {
    const { turns, schedule } = this.#walking;
    return turns.at(schedule.index);
  }

  advance(): void {
    const { schedule, untilNs } = this.#walking;
    schedule.advance();
    if (untilNs !== Number.POSITIVE_INFINITY) this.#leaveBehind();
  }

  /** Passes over all that is due until `elapsedNs`. */
  skip(elapsedNs: number): void {
    if (elapsedNs >= 0) this.#walking.schedule.skip(elapsedNs);
  }

  /** Whether the schedule has ended, or has nothing for the backend, and nothing is owed. */
  isExhausted(elapsedNs: number): boolean {
    const hasEnded = elapsedNs >= this.#newest.schedule.endNs; // one of nothing ends where it begins
    return hasEnded && this.#legs.length === 1 && this.nextNs(elapsedNs) === Number.POSITIVE_INFINITY;
  }

  /** How many requests have been due until `elapsedNs`, by request of the plan. */
  due(elapsedNs: number): number[] {
    const due = this.#newest.plan.requests.map((_, request) => this.#settled[request] ?? 0);
    for (const { schedule, turns, first, untilNs } of this.#legs) {
      addDifference(due, turns.counts(schedule.dueCount(Math.min(elapsedNs, untilNs))), turns.counts(first));
    }
    return due;
  }

  /** Goes on by another plan: from `elapsedNs` on or, for another share, from the instant at which that one begins. */
  follow(plan: WorkerPlan, elapsedNs: number): void {
    const current = this.#legs.findLast(({ afterNs }) => afterNs <= elapsedNs);
    const atNs = current !== undefined && isSameShare(plan, current.plan) ? elapsedNs : switchNs(plan, elapsedNs);
    const earlier = this.#legs.filter(({ afterNs }) => afterNs < atNs);
    const former = earlier.at(-1) ?? this.#walking;
    const leg = this.#leg(plan, atNs, former);
    former.untilNs = Math.min(former.untilNs, atNs);
    this.#legs = [...earlier, leg];
    this.#leaveBehind();
  }

  get #newest(): Leg {
    return this.#legs.at(-1) as Leg;
  }

  #leg(plan: WorkerPlan, afterNs: number, former?: Leg): Leg {
    const schedule = this.#scheduleOf(plan, afterNs, former);
    const first = schedule.index;
    const turns = requestTurns(plan, former?.turns);
    return { plan, afterNs, untilNs: Number.POSITIVE_INFINITY, schedule, turns, first };
  }

  #scheduleOf(plan: WorkerPlan, afterNs: number, former?: Leg): Schedule {
    const curve = rateCurve(former?.plan ?? plan);
    if (curve === undefined) return former?.schedule ?? scheduleOf(plan, this.#backend);
    const isOn =
      former?.schedule instanceof OpenLoop && isSameShare(plan, former.plan) && hasSameLanes(plan, former.plan);
    return scheduleAfter(plan, this.#backend, afterNs, curve, isOn ? (former.schedule as OpenLoop).walk() : undefined);
  }

  /** Goes on to the leg in which the next request is due. */
  #leaveBehind(): void {
    while (this.#legs.length > 1) {
      const leg = this.#legs[0] as Leg;
      // A closed loop owes nothing: one leg takes over from the other.
      if (leg.schedule instanceof OpenLoop && leg.schedule.nextNs() <= leg.untilNs) break;
      this.#settle(leg, leg.untilNs);
      this.#legs.shift();
    }
    this.#walking = this.#legs[0] as Leg;
  }

  #settle({ plan, turns, schedule, first }: Leg, untilNs: number): void {
    while (this.#settled.length < plan.requests.length) this.#settled.push(0);
    addDifference(this.#settled, turns.counts(schedule.dueCount(untilNs)), turns.counts(first));
  }
}

function addDifference(into: number[], more: readonly number[], less: readonly number[]): void {
  for (const [index, count] of more.entries()) into[index] = (into[index] ?? 0) + count - (less[index] ?? 0);
}

function switchNs({ joinNs = beforeStartNs }: WorkerPlan, elapsedNs: number): number {
  return Math.max(elapsedNs, joinNs);
}

function isSameShare({ worker: a }: WorkerPlan, { worker: b }: WorkerPlan): boolean {
  return a.index === b.index && a.count === b.count;
}

function hasSameLanes({ backends: a }: WorkerPlan, { backends: b }: WorkerPlan): boolean {
  return a.length === b.length && a.every(({ percent }, index) => percent === b[index]?.percent);
}
