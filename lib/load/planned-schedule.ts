// A worker's plan → what it sends when, and to whom.
import { RateCurve, type Stage } from "./rate-curve.ts";
import { ClosedLoop, OpenLoop, type Schedule } from "./schedule.ts";
import { EvenSequence, type Lane, laneOf, PoissonSequence, type Sequence } from "./sequence.ts";
import { Turns } from "./turns.ts";
import type { Change, WorkerPlan } from "./worker-plan.ts";

/** What is asked of all workers together, in a plan or in the load that plans are made of. */
export interface AskedRate {
  requestsPerSecond: WorkerPlan["requestsPerSecond"];
  durationNs?: number | undefined;
  stages?: readonly Stage[] | undefined;
  changes?: readonly Change[] | undefined;
}

/** An instant before all requests. */
export const beforeStartNs = -1;

const nothing = RateCurve.ramps(0, []);

/** The rate over time after the start, with all changes; undefined for a closed loop. */
export function rateCurve({ requestsPerSecond, durationNs, stages, changes = [] }: AskedRate): RateCurve | undefined {
  if (requestsPerSecond === "max") return undefined;
  return changes.reduce((curve, { atNs, clockNs, dueCount, paused, ...rates }) => {
    const before = dueCount === undefined ? curve : RateCurve.evenly(dueCount, atNs);
    return before.followedBy(paused === true ? RateCurve.pause : plainCurve(rates), atNs, clockNs);
  }, plainCurve({ requestsPerSecond, durationNs, stages }));
}

function plainCurve({ requestsPerSecond, durationNs, stages }: AskedRate & { requestsPerSecond: number }): RateCurve {
  return stages === undefined
    ? RateCurve.constant(requestsPerSecond, durationNs)
    : RateCurve.ramps(requestsPerSecond, stages);
}

/** What the schedule's own clock shows at an instant after the start: it stands still while paused. */
export function scheduleClockNs({ changes = [] }: Pick<AskedRate, "changes">, atNs: number): number {
  const last = changes.findLast((change) => change.atNs <= atNs);
  if (last === undefined) return atNs;
  return last.paused === true ? last.clockNs : last.clockNs + (atNs - last.atNs);
}

/** When the schedule ends, ns after the start; Infinity: not by itself, or not as long as it is paused. */
export function scheduleEndNs(asked: AskedRate): number {
  return rateCurve(asked)?.endNs ?? asked.durationNs ?? Number.POSITIVE_INFINITY;
}

/** The requests of this worker to backend `backend`, from the start on. */
export function scheduleOf(plan: WorkerPlan, backend: number): Schedule {
  const curve = rateCurve(plan);
  const lane = backendLane(plan, backend);
  if (curve === undefined) return new ClosedLoop(lane === undefined ? 0 : plan.durationNs);
  if (lane === undefined) return new OpenLoop(nothing, new EvenSequence(plan.worker, { cycle: 1, offsets: [0] }));
  return new OpenLoop(curve, sequenceOf(plan, lane, 0));
}

/**
 * The same without what was due until `afterNs`, by the plan's rates or by those before (`former`): what was due by then
 * stays where it was, and nothing is due twice. `walk`: goes on where another schedule of the same share and backends is.
 */
export function scheduleAfter(
  plan: WorkerPlan,
  backend: number,
  afterNs: number,
  former: RateCurve,
  walk?: Sequence,
): Schedule {
  const curve = rateCurve(plan);
  const lane = backendLane(plan, backend);
  if (curve === undefined || lane === undefined) return scheduleOf(plan, backend);
  const begin = Math.max(curve.countAt(afterNs), former.countAt(afterNs));
  const sequence = walk ?? sequenceOf(plan, lane, begin);
  new OpenLoop(former, sequence).skip(afterNs);
  const schedule = new OpenLoop(curve, sequence);
  schedule.skip(afterNs);
  return schedule;
}

/** Which of the worker's requests go to the backend; undefined: none. */
function backendLane({ backends, worker }: WorkerPlan, backend: number): Lane | undefined {
  if ((backends[backend]?.percent ?? 0) === 0) return undefined;
  const percents = backends.map(({ percent }) => percent);
  return laneOf(new Turns(percents, worker.index), backend);
}

function sequenceOf({ worker, arrivals, seed }: WorkerPlan, lane: Lane, begin: number): Sequence {
  return arrivals === "Poisson" ? new PoissonSequence(worker, lane, seed, begin) : new EvenSequence(worker, lane);
}

const turnsOfPlans = new WeakMap<WorkerPlan, Turns>();

/**
 * Which request of the plan is next, for each backend of a worker by itself: the same object for all of them, and
 * `former` where that says the same, since a long cycle takes milliseconds to make, in which nothing is sent.
 */
export function requestTurns(plan: WorkerPlan, former?: Turns): Turns {
  const known = turnsOfPlans.get(plan);
  if (known !== undefined) return known;
  const weights = plan.requests.map(({ weight }) => weight);
  const { index } = plan.worker;
  const turns = former?.isOf(weights, index) ? former : new Turns(weights, index);
  turnsOfPlans.set(plan, turns);
  return turns;
}
