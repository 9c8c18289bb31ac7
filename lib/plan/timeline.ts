// The rates of a run over time: as they were at the start, and how they were changed since. A change lies a little ahead,
// so that all workers hear of it before and follow at one instant.
//
//   clock of the schedule      ╱ resumed: goes on from clockNs
//                        ─────╱
//                       ╱ paused: stands still
//                      ╱
//                     └──────────────▶ time since the start: atNs
import { isDeepStrictEqual } from "node:util";
import { rateCurve, scheduleClockNs } from "../load/planned-schedule.ts";
import { type Change, mostChanges, type WorkerPlan } from "../load/worker-plan.ts";
import type { LoadTestStatus } from "../loadtest/load-test-status.ts";

export type Rates = Pick<Change, "requestsPerSecond" | "durationNs" | "stages">;
/** A timeline in a plan. */
export type Planned = Pick<WorkerPlan, "requestsPerSecond" | "durationNs" | "stages" | "changes">;
export type Recorded = NonNullable<LoadTestStatus["timeline"]>;
export type Timeline = Rates & Pick<WorkerPlan, "changes">;

/** From telling the workers of a change to its instant: the kubelet takes up to half a second to show it to them. */
export const noticeNs = 1e9;

/**
 * The timeline that leads to the wanted rates, or to a pause.
 *
 * @param known The one that workers follow; undefined: there are none.
 * @param fromNs When it may become so, ns after the start; undefined: the load has not begun.
 */
export function timelineTowards(
  known: Planned | undefined,
  wanted: Rates & { isPaused: boolean },
  fromNs: number | undefined,
): Timeline {
  const { isPaused, ...rates } = wanted;
  const paused = isPaused ? { paused: true as const } : {};
  if (known === undefined || fromNs === undefined) {
    return { ...rates, ...(isPaused ? { changes: [{ atNs: 0, clockNs: 0, ...paused, ...rates }] } : {}) };
  }
  const { changes = [] } = known;
  const initial = ratesOf(known);
  const last: Change = changes.at(-1) ?? { atNs: 0, clockNs: 0, ...initial };
  const { atNs: lastNs, clockNs: _, dueCount: __, ...present } = last;
  if (isDeepStrictEqual(present, { ...paused, ...rates })) {
    return { ...initial, ...(known.changes === undefined ? {} : { changes }) };
  }
  const atNs = Math.max(lastNs, Math.round(fromNs));
  const change = { atNs, clockNs: scheduleClockNs({ changes }, atNs), ...paused, ...rates };
  return bounded({ ...initial, changes: [...changes, change] });
}

function bounded(timeline: Timeline): Timeline {
  return (timeline.changes?.length ?? 0) > mostChanges ? withoutOldestChange(timeline) : timeline;
}

/** The timeline without its first change, of at least two: the next one keeps how many requests were due by then. */
export function withoutOldestChange<T extends Planned>(timeline: T): T {
  const [, next, ...later] = timeline.changes ?? [];
  if (next === undefined) return timeline;
  const dueCount = rateCurve(timeline)?.countAt(next.atNs) ?? 0;
  return { ...timeline, changes: [{ ...next, dueCount }, ...later] };
}

export function timelineOf(planned: Planned): Timeline {
  return { ...ratesOf(planned), ...(planned.changes === undefined ? {} : { changes: planned.changes }) };
}

/**
 * Of a timeline, what is enough to go on from: its last change, and how many requests were due by it; undefined where
 * numbers cannot hold that, as plans cannot either.
 */
export function recordOf(timeline: Planned, startAtMs: number): Recorded | undefined {
  const last = timeline.changes?.at(-1);
  if (last === undefined) return { startAtMs, atNs: 0, clockNs: 0, ...ratesOf(timeline) };
  const dueCount = last.dueCount ?? rateCurve(timeline)?.countAt(last.atNs) ?? 0;
  const isHeld = Math.max(last.atNs, last.clockNs, dueCount) <= Number.MAX_SAFE_INTEGER;
  return isHeld ? { startAtMs, ...last, dueCount } : undefined;
}

/** The timeline that went on from it. */
export function timelineSince({ startAtMs: _, ...change }: Recorded): Timeline {
  const { atNs, clockNs: __, dueCount: ___, paused, ...rates } = change;
  return atNs === 0 && paused === undefined ? rates : { ...rates, changes: [change] };
}

/** What is known in full, unless more is recorded; with that appended, if it follows on what is known. */
export function laterOf(known: Planned, recorded: Timeline): Planned {
  const { changes = [] } = known;
  const last = recorded.changes?.at(-1);
  if (last === undefined || last.atNs <= (changes.at(-1)?.atNs ?? 0)) return known;
  const { dueCount = 0, ...change } = last;
  const dueByKnown = rateCurve(known)?.countAt(change.atNs) ?? Number.NaN;
  if (!(Math.abs(dueByKnown - dueCount) < 1)) return recorded;
  return bounded({ ...ratesOf(known), changes: [...changes, change] });
}

/** Whether the last change is known and has not come about. */
export function isChangeAhead({ changes = [] }: Pick<Planned, "changes">, sinceStartNs: number | undefined): boolean {
  return sinceStartNs !== undefined && (changes.at(-1)?.atNs ?? 0) > sinceStartNs;
}

/** The rates at the start in the plan of an open loop, as all LoadTests are. */
export function ratesOf({ requestsPerSecond, durationNs, stages }: Omit<Planned, "changes">): Rates {
  return {
    requestsPerSecond: requestsPerSecond as number,
    ...(durationNs === undefined ? {} : { durationNs }),
    ...(stages === undefined ? {} : { stages }),
  };
}
