// How the load of a run goes on: from what its workers follow, towards what is asked for.
import { isFollowing, ownStartMs, toldStartMs, type Worker } from "./crew.ts";
import type { Demand } from "./demand.ts";
import { isOver } from "./ending.ts";
import { annotationBytes } from "./pod-settings.ts";
import type { Run } from "./run.ts";
import { latestScript, type Script, scriptTowards } from "./script.ts";
import {
  isChangeAhead,
  laterOf,
  noticeNs,
  type Planned,
  ratesOf,
  timelineOf,
  timelineSince,
  timelineTowards,
} from "./timeline.ts";

export interface Course {
  /** What workers were last told to do; undefined: there are none. */
  known: Script | undefined;
  /** The rates so far, as present workers follow them, or as was last known of them; undefined: there were none. */
  followed: Planned | undefined;
  /** What they are to do. */
  script: Script;
  /** When the load began or begins; undefined: not decided yet. */
  startAtMs: number | undefined;
  /** Whether nothing is due any more. */
  isOver: boolean;
  /** Whether it is about to pause: that is said once it is so. */
  isPausing: boolean;
}

export function courseOf(demand: Demand, run: Run, workers: readonly Worker[], nowMs: number): Course {
  const { wanted, unfit } = demand;
  const isPaused = demand.spec.state === "Paused";
  const startAtMs = toldStartMs(workers) ?? recordedStartMs(run) ?? ownStartMs(workers, nowMs);
  const sinceStartNs = startAtMs === undefined ? undefined : (nowMs - startAtMs) * 1e6;
  const isManned = workers.some(isFollowing); // a change ahead that nobody is told of would stay ahead
  const fromNs = sinceStartNs === undefined ? undefined : sinceStartNs + (isManned ? noticeNs : 0);
  const known = latestScript(workers.flatMap(({ plan }) => plan ?? []));
  const followed = followedBy(workers, run);
  const timeline =
    unfit !== undefined && followed !== undefined
      ? timelineOf(followed)
      : timelineTowards(followed, { ...ratesOf(wanted), isPaused }, fromNs);
  const attainable = demand.isFit ? wanted : (known ?? wanted);
  const script = scriptTowards(known, attainable, timeline, annotationBytes(demand.spec.podTemplate));
  return {
    known,
    followed,
    script,
    startAtMs,
    isOver: isOver(script, startAtMs, nowMs),
    isPausing: isPaused && unfit === undefined && isManned && isChangeAhead(script, sinceStartNs),
  };
}

/**
 * The rates as workers follow them. Where none does, those of an ended one may be older than what the status has kept, for
 * whoever had them last may be gone, Pod and all.
 */
export function followedBy(workers: readonly Worker[], { status: { timeline } }: Run): Planned | undefined {
  const known = latestScript(workers.flatMap(({ plan }) => plan ?? []));
  const recorded = timeline === undefined ? undefined : timelineSince(timeline);
  if (known === undefined || recorded === undefined || workers.some(isFollowing)) return known ?? recorded;
  return laterOf(known, recorded);
}

/** The start as the status has it, for when no Pod is left that knows. */
export function recordedStartMs({ status: { timeline, startTime } }: Run): number | undefined {
  return timeline?.startAtMs ?? (startTime === undefined ? undefined : Date.parse(startTime));
}
