// What of a pass over a LoadTest is worth an Event: what was done, and what its status says that it did not say before.
// An Event marks a change. Whatever a poll finds again is no news, and a normal run makes about five.
import type { WorkerPlan } from "../load/worker-plan.ts";
import type { LoadTest } from "../loadtest/load-test.ts";
import type { Finding, LoadTestStatus } from "../loadtest/load-test-status.ts";
import type { Pod } from "./objects.ts";
import { isTrouble } from "./progress.ts";
import { type Repairs, repairsIn, stuckReason } from "./repairs.ts";
import { isReminder } from "./telling.ts";
import { workerCount } from "./trouble.ts";
import { stillRunning } from "./verdict.ts";
import type { Action } from "./world.ts";

export interface News {
  type: "Normal" | "Warning";
  /** Why, in one CamelCase word. */
  reason: string;
  /** What was done, in one CamelCase word. */
  action: string;
  note: string;
}

/** @param done What has been done, on this LoadTest as it was before. */
export function newsOf(loadTest: LoadTest, done: readonly Action[]): News[] {
  const before = loadTest.status ?? {};
  const after = done.flatMap((one) => (one.kind === "patchStatus" ? [one.status] : []))[0] ?? before;
  return [
    ...deletionNews(loadTest, done),
    ...repairNews(repairsIn(done)),
    ...conditionNews(before, after, "Accepted"),
    ...conditionNews(before, after, "WorkersReady"),
    ...conditionNews(before, after, "TargetAnswers"),
    ...lifeNews(before, after),
    ...(before.observedGeneration === after.observedGeneration ? [] : rateNews(done)),
    ...endNews(before, after),
  ];
}

function normal(reason: string, action: string, note: string): News {
  return { type: "Normal", reason, action, note };
}

function warning({ reason, message }: Pick<Finding, "reason" | "message">, action: string): News {
  return { type: "Warning", reason, action, note: message };
}

function repairNews({ wanted, replaced, added, stuck, reminded }: Repairs): News[] {
  const tell = (reason: string, action: string, message: string) => [warning({ reason, message }, action)];
  const nameOf = ([pod]: readonly Pod[]) => pod?.metadata.name;
  return [
    ...(wanted.length === 0
      ? []
      : [normal("WorkersCreated", "CreateWorkers", `Created ${workerCount(wanted.length)}.`)]),
    ...(replaced.length === 0
      ? []
      : tell(
          "WorkerReplaced",
          "ReplaceWorkers",
          `Replaced ${workerCount(replaced.length)}: now Pod "${nameOf(replaced)}".`,
        )),
    ...(added.length === 0
      ? []
      : tell(
          "WorkerAdded",
          "AddWorkers",
          `Added ${workerCount(added.length)}: those that run do not keep up with the rate.`,
        )),
    ...stuck.flatMap((name) => tell("WorkerStuck", "ReplaceWorkers", `Deleted Pod "${name}": ${stuckReason}.`)),
    ...(reminded.length === 0
      ? []
      : tell(
          "PlanToldAgain",
          "TellPlan",
          `Told ${workerCount(reminded.length)} the plan again, as Pod "${reminded[0]}": it goes on by an older one.`,
        )),
  ];
}

/** Of a LoadTest that goes itself there is no news. */
function deletionNews({ metadata }: LoadTest, done: readonly Action[]): News[] {
  if (metadata.deletionTimestamp !== undefined) return [];
  const reasons = done.flatMap((one) => (one.kind === "deletePod" && one.reason !== stuckReason ? [one.reason] : []));
  return [...Map.groupBy(reasons, (reason) => reason)].map(([reason, { length }]) =>
    normal("WorkersDeleted", "DeleteWorkers", `Deleted ${workerCount(length)}: ${reason}.`),
  );
}

/** Conditions that say when something is wrong, and what was tried. */
const tried = { Accepted: "Accept", WorkersReady: "RunWorkers", TargetAnswers: "Preflight" } as const;

function conditionNews(before: LoadTestStatus, after: LoadTestStatus, type: keyof typeof tried): News[] {
  const [was, is] = [conditionOf(before, type), conditionOf(after, type)];
  if (is === undefined || !isTrouble(is) || was?.reason === is.reason) return [];
  return [warning(is, tried[type])];
}

function conditionOf({ conditions = [] }: LoadTestStatus, type: string): Finding | undefined {
  return conditions.find((one) => one.type === type);
}

function lifeNews(before: LoadTestStatus, after: LoadTestStatus): News[] {
  const [was, is]: (string | undefined)[] = [before.phase, after.phase];
  const { startTime } = after;
  return [
    ...(startTime === undefined || startTime === before.startTime
      ? []
      : [normal("Started", "Start", `The load begins at ${startTime}.`)]),
    ...(is === "Paused" && was !== is ? [normal("Paused", "Pause", "The load pauses.")] : []),
    ...(was === "Paused" && (is === "Starting" || is === "Running")
      ? [normal("Resumed", "Resume", "The load goes on.")]
      : []),
  ];
}

/** That workers were told another rate than before. */
function rateNews(done: readonly Action[]): News[] {
  const [told] = done.flatMap((one) => (one.kind === "setPlan" && !isReminder(one) ? [one] : []));
  const [was, is] = told === undefined ? [] : [lastRate(told.former), lastRate(told.plan)];
  return was === is ? [] : [normal("RateChanged", "ChangeRate", `From ${was} to ${is} requests per second.`)];
}

function lastRate(plan: string): WorkerPlan["requestsPerSecond"] {
  const { requestsPerSecond, changes = [] } = JSON.parse(plan) as Pick<WorkerPlan, "requestsPerSecond" | "changes">;
  return changes.at(-1)?.requestsPerSecond ?? requestsPerSecond;
}

/** Endings that somebody wanted, and what they are called. */
const goodEndings: Readonly<Record<string, string>> = { WorkersFinished: "Finished", Stopped: "Stopped" };

function endNews(before: LoadTestStatus, after: LoadTestStatus): News[] {
  const [was, is] = [conditionOf(before, "Complete"), conditionOf(after, "Complete")];
  const [judged, verdict] = [conditionOf(before, "Passed"), conditionOf(after, "Passed")];
  const hasChanged = is !== undefined && is.reason !== was?.reason;
  const isDecided =
    verdict !== undefined && verdict.reason !== judged?.reason && verdict.reason !== stillRunning.reason;
  const { display } = after;
  const figures = display && `${display.rps} requests/s, ${display.errors} errors, p99 ${display.p99}.`;
  return [
    ...(hasChanged && is.status === "True"
      ? is.reason in goodEndings
        ? [normal(goodEndings[is.reason] as string, "Finish", [is.message, figures].filter(Boolean).join(" "))]
        : [warning(is, "Finish")]
      : []),
    ...(hasChanged && is.status === "False" && isTrouble(is) ? [warning(is, "Finish")] : []),
    ...(isDecided
      ? [verdict.status === "True" ? normal("Passed", "Judge", verdict.message) : warning(verdict, "Judge")]
      : []),
  ];
}
