import { expect, test } from "bun:test";
import type { LoadTest } from "../../lib/loadtest/load-test.ts";
import type { Condition, LoadTestStatus } from "../../lib/loadtest/load-test-status.ts";
import { newsOf } from "../../lib/plan/news.ts";
import type { Pod } from "../../lib/plan/objects.ts";
import type { Action } from "../../lib/plan/world.ts";
import { loadTest } from "./finished-pods.ts";

const key = { namespace: "ns", name: "lt-0", uid: "p0" };

function condition(type: string, status: Condition["status"], reason: string): Condition {
  const [lastTransitionTime, observedGeneration] = ["2030-01-01T00:00:00Z", 1];
  return { type, status, reason, message: `Because of ${reason}.`, lastTransitionTime, observedGeneration };
}

/** A status of a run under way, with conditions of these types changed. */
function running(more: Partial<LoadTestStatus> = {}, ...conditions: Condition[]): LoadTestStatus {
  const all = [
    condition("Accepted", "True", "Valid"),
    condition("WorkersReady", "True", "AllRunning"),
    condition("Complete", "False", "InProgress"),
    condition("Passed", "Unknown", "InProgress"),
  ].map((one) => conditions.find(({ type }) => type === one.type) ?? one);
  return { observedGeneration: 1, phase: "Running", startTime: "2030-01-01T00:00:00Z", conditions: all, ...more };
}

const starting = (reason = "WorkersStarting") =>
  running({ phase: "Starting" }, condition("WorkersReady", "False", reason));
const pending: LoadTestStatus = { ...starting(), phase: "Pending" };
delete pending.startTime;

function loadTestWith(status?: LoadTestStatus): LoadTest {
  return { ...loadTest(), ...(status === undefined ? {} : { status }) };
}

function news(before: LoadTestStatus | undefined, after: LoadTestStatus | undefined, ...deeds: Action[]) {
  const words: Action[] = after === undefined ? [] : [{ kind: "patchStatus", ...key, version: "7", status: after }];
  return newsOf(loadTestWith(before), [...deeds, ...words]);
}

type Creation = Extract<Action, { kind: "createPod" }>;

function creation(name: string, cause: Creation["cause"] = "first"): Creation {
  const pod: Pod = { apiVersion: "v1", kind: "Pod", metadata: { name }, spec: { containers: [] } };
  return { kind: "createPod", pod, cause };
}

function telling(former: object, plan: object): Action {
  return { kind: "setPlan", ...key, former: JSON.stringify(former), plan: JSON.stringify(plan), told: "" };
}

const ended = (reason: string, passed: Condition) =>
  running(
    { phase: "Finished" },
    condition("WorkersReady", "False", "Finished"),
    condition("Complete", "True", reason),
    passed,
  );
const kept = condition("Passed", "True", "ThresholdsKept");

test("a normal run makes four Events, each where it belongs", () => {
  const figures = { rps: "99.9", errors: "0%", p99: "1ms" };
  const passes: Parameters<typeof news>[] = [
    [undefined, pending, creation("lt-0"), creation("lt-1")],
    [pending, starting()],
    [starting(), running()],
    [running(), running()],
    [running(), { ...ended("WorkersFinished", kept), display: figures }],
    [ended("WorkersFinished", kept), undefined],
  ];
  expect(passes.map((pass) => news(...pass).map(({ type, reason, note }) => [type, reason, note]))).toEqual([
    [["Normal", "WorkersCreated", "Created 2 workers."]],
    [["Normal", "Started", "The load begins at 2030-01-01T00:00:00Z."]],
    [],
    [],
    [
      ["Normal", "Finished", "Because of WorkersFinished. 99.9 requests/s, 0% errors, p99 1ms."],
      ["Normal", "Passed", "Because of ThresholdsKept."],
    ],
    [],
  ]);
});

const refused = (reason: string) => running({ phase: "Pending" }, condition("Accepted", "False", reason));
const outOfMemory = running({}, condition("WorkersReady", "True", "OutOfMemory"));

test.each<[what: string, before: LoadTestStatus | undefined, after: LoadTestStatus, news: string[]]>([
  ["trouble", starting(), starting("ImagePullFailed"), ["Warning ImagePullFailed"]],
  ["another trouble", starting("Unschedulable"), starting("ImagePullFailed"), ["Warning ImagePullFailed"]],
  ["the same trouble", starting("Unschedulable"), starting("Unschedulable"), []],
  ["trouble that is over", starting("Unschedulable"), running(), []],
  ["trouble that keeps coming back", starting("OutOfMemory"), outOfMemory, []],
  [
    "a first look that finds trouble",
    undefined,
    { ...pending, conditions: starting("QuotaExceeded").conditions ?? [] },
    ["Warning QuotaExceeded"],
  ],
  ["a refusal", running(), refused("ServiceNotFound"), ["Warning ServiceNotFound"]],
  ["another refusal", refused("ServiceNotFound"), refused("PortNotFound"), ["Warning PortNotFound"]],
  ["a pause", running(), running({ phase: "Paused" as never }), ["Normal Paused"]],
  ["its end", running({ phase: "Paused" as never }), running(), ["Normal Resumed"]],
  ["a stop", running(), ended("Stopped", kept), ["Normal Stopped", "Normal Passed"]],
  ["an abort to come", running(), running({}, condition("Complete", "False", "Aborting")), ["Warning Aborting"]],
  [
    "failed workers",
    running(),
    ended("WorkersFailed", condition("Passed", "Unknown", "ResultsIncomplete")),
    ["Warning WorkersFailed", "Warning ResultsIncomplete"],
  ],
  [
    "broken thresholds",
    running(),
    ended("WorkersFinished", condition("Passed", "False", "ThresholdsBroken")),
    ["Normal Finished", "Warning ThresholdsBroken"],
  ],
  ["a new run", ended("WorkersFinished", kept), running({ startTime: "2030-01-02T00:00:00Z" }), ["Normal Started"]],
])("%s is told once", (_, before, after, expected) => {
  expect(news(before, after).map(({ type, reason }) => `${type} ${reason}`)).toEqual(expected);
});

test("another rate is told when the spec has changed, not when a plan is told again", () => {
  const [slow, fast] = [{ requestsPerSecond: 100 }, { requestsPerSecond: 100, changes: [{ requestsPerSecond: 250 }] }];
  const faster = telling(slow, fast);
  const changed = running({ observedGeneration: 2 });
  expect(news(running(), changed, faster, faster)).toEqual([
    { type: "Normal", reason: "RateChanged", action: "ChangeRate", note: "From 100 to 250 requests per second." },
  ]);
  expect(news(changed, undefined, faster)).toEqual([]);
  const paused = { ...slow, changes: [{ requestsPerSecond: 100, paused: true }] };
  expect(news(running(), changed, telling(slow, paused), telling(paused, slow))).toEqual([]);
  expect(news(running(), changed, telling(fast, fast)).map(({ reason }) => reason)).toEqual(["PlanToldAgain"]);
});

test("a replacement is a warning, and Pods that go have a reason", () => {
  const deletion = (reason: string): Action => ({ kind: "deletePod", ...key, reason });
  const told = news(running(), undefined, creation("lt-0-1", "failed"), deletion("it changed"), deletion("it changed"));
  expect(told.map(({ type, reason, note }) => [type, reason, note])).toEqual([
    ["Normal", "WorkersDeleted", "Deleted 2 workers: it changed."],
    ["Warning", "WorkerReplaced", 'Replaced 1 worker: now Pod "lt-0-1".'],
  ]);
  const going = { ...loadTest(), metadata: { ...loadTest().metadata, deletionTimestamp: "2030-01-01T00:00:00Z" } };
  expect(newsOf(going, [deletion("it goes")])).toEqual([]);
});
