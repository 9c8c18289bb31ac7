// How the load of a run goes on: from what its workers follow, towards what is asked for.
import { ownStartMs, toldStartMs, type Worker } from "./crew.ts";
import type { Demand } from "./demand.ts";
import { isOver } from "./ending.ts";
import { annotationBytes } from "./pod-settings.ts";
import type { Run } from "./run.ts";
import { latestScript, type Script, scriptTowards } from "./script.ts";
import { isChangeAhead, noticeNs, ratesOf, timelineSince, timelineTowards } from "./timeline.ts";

export interface Course {
  /** What workers were last told to do; undefined: there are none. */
  known: Script | undefined;
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
  const { timeline: recorded, startTime } = run.status; // for when no Pod is left that knows
  const recordedStartMs = recorded?.startAtMs ?? (startTime === undefined ? undefined : Date.parse(startTime));
  const startAtMs = toldStartMs(workers) ?? recordedStartMs ?? ownStartMs(workers, nowMs);
  const sinceStartNs = startAtMs === undefined ? undefined : (nowMs - startAtMs) * 1e6;
  const isManned = workers.some(({ hasEnded }) => !hasEnded); // a change ahead that nobody is told of would stay ahead
  const fromNs = sinceStartNs === undefined ? undefined : sinceStartNs + (isManned ? noticeNs : 0);
  const known = latestScript(workers.flatMap(({ plan }) => plan ?? []));
  const before = recorded === undefined ? undefined : timelineSince(recorded);
  const towards = timelineTowards(known ?? before, { ...ratesOf(wanted), isPaused }, fromNs);
  const timeline = unfit === undefined ? towards : (before ?? towards);
  const attainable = demand.isFit ? wanted : (known ?? wanted);
  const script =
    unfit !== undefined && known !== undefined
      ? known
      : scriptTowards(known, attainable, timeline, annotationBytes(demand.spec.podTemplate));
  return {
    known,
    script,
    startAtMs,
    isOver: isOver(script, startAtMs, nowMs),
    isPausing: isPaused && unfit === undefined && isManned && isChangeAhead(script, sinceStartNs),
  };
}
