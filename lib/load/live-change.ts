// Which changes of a plan a running worker can follow: those that leave its connections of use and its results numbered.
import type { WorkerPlan } from "./worker-plan.ts";

const fixed = ["tls", "arrivals", "seed", "pacing", "barrier"] as const;

/** Why `next` needs a new worker; undefined: a worker with the plan `present` can follow it. */
export function liveChangeProblem(present: WorkerPlan, next: WorkerPlan): string | undefined {
  const changed = fixed.find((name) => !isSame(present[name], next[name]));
  if (changed !== undefined) return `"${changed}" was changed`;
  if ((present.requestsPerSecond === "max") !== (next.requestsPerSecond === "max"))
    return "the kind of load was changed";
  if (next.requests.length < present.requests.length) return "a request was taken out, must have weight 0";
  const isPlaced = present.backends.every(({ percent: _, ...backend }, index) => {
    const { percent: __, ...other } = next.backends[index] ?? { percent: 0 };
    return isSame(backend, other);
  });
  return isPlaced ? undefined : "a backend was changed or taken out, must have 0 percent";
}

/** Plans are JSON, made by one program: equal values have equal texts. */
function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/**
 * The plan with its instants on the clock of a worker that began by itself: they are relative to the plan's `startAtMs`,
 * its own start was at `startedAtMs`.
 */
export function onClockOf(startedAtMs: number, plan: WorkerPlan): WorkerPlan {
  const { startAtMs = startedAtMs, changes, joinNs } = plan;
  if (startAtMs === startedAtMs) return plan;
  const shifted = (atNs: number) => Math.max(0, atNs + Math.round((startAtMs - startedAtMs) * 1e6));
  return {
    ...plan,
    ...(changes === undefined ? {} : { changes: changes.map((one) => ({ ...one, atNs: shifted(one.atNs) })) }),
    ...(joinNs === undefined ? {} : { joinNs: shifted(joinNs) }),
  };
}
