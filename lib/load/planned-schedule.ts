// A worker's plan → what it sends when, and to whom.
import { RateCurve, type Stage } from "./rate-curve.ts";
import { ClosedLoop, OpenLoop, type Schedule } from "./schedule.ts";
import { EvenSequence, laneOf, PoissonSequence } from "./sequence.ts";
import { Turns } from "./turns.ts";
import type { WorkerPlan } from "./worker-plan.ts";

/** What is asked of all workers together, in a plan or in the load that plans are made of. */
export interface AskedRate {
  requestsPerSecond: WorkerPlan["requestsPerSecond"];
  durationNs?: number | undefined;
  stages?: readonly Stage[] | undefined;
}

/** The rate over time; undefined for a closed loop. */
export function rateCurve({ requestsPerSecond, durationNs, stages }: AskedRate): RateCurve | undefined {
  if (requestsPerSecond === "max") return undefined;
  return stages === undefined
    ? RateCurve.constant(requestsPerSecond, durationNs)
    : RateCurve.ramps(requestsPerSecond, stages);
}

/** The requests of this worker to backend `backend`. */
export function scheduleOf(plan: WorkerPlan, backend: number): Schedule {
  const curve = rateCurve(plan);
  if (curve === undefined) return new ClosedLoop(plan.durationNs);
  const { worker, backends, arrivals, seed } = plan;
  const turns = new Turns(
    backends.map(({ percent }) => percent),
    worker.index,
  );
  const lane = laneOf(turns, backend);
  return new OpenLoop(
    curve,
    arrivals === "Poisson" ? new PoissonSequence(worker, lane, seed) : new EvenSequence(worker, lane),
  );
}

/** Which request of the plan is next, for each backend of a worker by itself. */
export function requestTurns({ requests, worker }: WorkerPlan): Turns {
  return new Turns(
    requests.map(({ weight }) => weight),
    worker.index,
  );
}
