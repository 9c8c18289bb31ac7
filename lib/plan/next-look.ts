// When a LoadTest has to be looked at again though nothing rings: something that passes with time, or elsewhere.
import { scheduleEndNs } from "../load/planned-schedule.ts";
import { parseDuration } from "../loadtest/duration.ts";
import type { LoadTestStatus, Phase } from "../loadtest/load-test-status.ts";
import { refuseCanary, refuseSpec } from "./acceptance.ts";
import { serviceBackends } from "./compile.ts";
import { followedBy, recordedStartMs } from "./course.ts";
import { mayHaveBegun, toldStartMs, type Worker, workerOf } from "./crew.ts";
import { completeIn } from "./ending.ts";
import { runnableSpec } from "./plan.ts";
import { knownSeats } from "./relief.ts";
import { reportPeriodMs } from "./reports-wanted.ts";
import { isCompleted, isOf, presentRun, type Run } from "./run.ts";
import { awaitsReports } from "./staffing.ts";
import { noticeNs } from "./timeline.ts";
import { isStarting } from "./trouble.ts";
import { isUntried } from "./untried.ts";
import { openSeats } from "./vacancies.ts";
import { ownerUid, type PlanOptions, type World } from "./world.ts";

/** Its target, also another one, its Pods' fitness, Pods of a predecessor, or a failed worker's time to be replaced. */
const lackMs = 2000;
/** What has been lacking for long is looked for less often: as a share of that time, and at most so long between looks. */
const lackShare = 0.05;
const mostLackMs = 30_000;
/** Pods that are refused, or have yet to show whether they start. */
const troubleMs = 5000;
/** Phases from which a pause leads to Paused. */
const underWay: readonly (Phase | undefined)[] = ["Starting", "Running"];
/** Until workers have said what something waits for, as a share of the time between two readings of their logs. */
const reportShare = 1 / 25;

/** Milliseconds until then; undefined: a poll is soon enough. */
export function nextLookMs(world: World, options: PlanOptions, nowMs: number): number | undefined {
  const { loadTests, pods, reports, refusedCreations = [] } = world;
  const [loadTest] = loadTests;
  if (loadTest === undefined || loadTest.metadata.deletionTimestamp !== undefined) return undefined;
  const run = presentRun(loadTest);
  const { status } = run;
  const own = pods.filter((pod) => ownerUid(pod) === loadTest.metadata.uid && isOf(pod, run));
  const workers = own.map((pod) => workerOf(pod, reports));
  const present = workers.filter(({ hasEnded }) => !hasEnded);
  const spec = runnableSpec(loadTest, options);
  const running = present.filter(({ isRunning }) => isRunning).length;
  const startAtMs = toldStartMs(workers);
  // Canaries are watched: one that comes, or is mended, rings by itself.
  const canary = world.canaries.get(`${loadTest.metadata.namespace}/${loadTest.spec.canary}`);
  const isLacking =
    spec !== undefined &&
    refuseCanary(loadTest, canary) === undefined &&
    (openSeats(workers, knownSeats(loadTest, spec)).length > 0 ||
      isUntried(workers, spec, serviceBackends(spec, canary?.spec, loadTest.metadata.namespace)));
  const begunAt = completeIn(status.conditions)?.lastTransitionTime;
  const hasBegun = startAtMs !== undefined || status.startTime !== undefined || mayHaveBegun(workers);
  const isLegible = refuseSpec(loadTest, options.maxRequestsPerSecond)?.reason !== "Invalid"; // else it has no deadline
  const awaitsStart = !hasBegun && isLegible && !isCompleted(status);
  const isAnotherRunWanted = loadTest.status !== undefined && isCompleted(loadTest.status) && !isCompleted(status);
  const waits = [
    isAnotherRunWanted ? 0 : undefined,
    refusedCreations.length > 0 || present.some(({ pod }) => isStarting(pod)) ? troubleMs : undefined,
    isLacking && refusedCreations.length === 0 ? untilFoundMs(status, nowMs) : undefined,
    spec !== undefined && awaitsReports(present) ? reportPeriodMs(running) * reportShare : undefined,
    running > 0 && !isCompleted(status) ? reportPeriodMs(running) : undefined, // also of those that are to end
    spec?.state === "Paused" && startAtMs !== undefined && underWay.includes(status.phase) ? noticeNs / 1e6 : undefined,
    awaitsStart ? untilDeadlineMs(begunAt, loadTest.spec.startDeadline, nowMs) : undefined,
    running > 0 || isCompleted(status) ? undefined : untilEndMs(run, workers, nowMs),
    spec === undefined ? untilMs(status.completionTime, loadTest.spec.ttlAfterFinished, nowMs) : undefined,
  ].filter((wait) => wait !== undefined);
  return waits.length === 0 ? undefined : Math.min(...waits);
}

/** Of something that it lacks. */
function untilFoundMs({ conditions = [] }: LoadTestStatus, nowMs: number): number {
  const accepted = conditions.find(({ type }) => type === "Accepted");
  const lackedMs = accepted?.status === "False" ? nowMs - Date.parse(accepted.lastTransitionTime) : 0;
  return Math.min(Math.max(lackMs, lackedMs * lackShare), mostLackMs);
}

/** The end of the schedule, as it was last followed. */
function untilEndMs(run: Run, workers: readonly Worker[], nowMs: number): number | undefined {
  const followed = followedBy(workers, run);
  const startAtMs = toldStartMs(workers) ?? recordedStartMs(run);
  if (followed === undefined || startAtMs === undefined) return undefined;
  const waitMs = Math.ceil(startAtMs + scheduleEndNs(followed) / 1e6 - nowMs);
  return waitMs > 0 && waitMs < Number.POSITIVE_INFINITY ? waitMs : undefined;
}

/** Whoever has to end when it has passed takes a while. */
function untilDeadlineMs(begunAt: string | undefined, deadline: string | undefined, nowMs: number): number | undefined {
  const waitMs = untilMs(begunAt, deadline, nowMs);
  return waitMs === 0 ? lackMs : waitMs;
}

function untilMs(instant: string | undefined, later: string | undefined, nowMs: number): number | undefined {
  if (instant === undefined || later === undefined) return undefined;
  const waitMs = Date.parse(instant) + (parseDuration(later) ?? Number.NaN) / 1e6 - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}
