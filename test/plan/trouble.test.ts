// The statuses of pod-troubles.json are those of a real cluster (Kubernetes 1.34, containerd), each made on purpose.
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Pod, PodStatus } from "../../lib/plan/objects.ts";
import { isLongStarting, type RefusedCreation, troubleOf } from "../../lib/plan/trouble.ts";
import { failureKinds } from "../../lib/stats/account.ts";
import { formatWorkerFailure } from "../../lib/stats/worker-failure.ts";
import recorded from "./pod-troubles.json";

const observed = recorded as unknown as Record<
  keyof typeof recorded,
  { deletionTimestamp?: string; status: PodStatus }
>;

function pod(status: PodStatus, more: { name?: string; deletionTimestamp?: string } = {}): Pod {
  const metadata = { name: "lt-0", namespace: "ns", uid: more.name ?? "u0", ...more };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [] }, status };
}

function observedPod(name: keyof typeof recorded): Pod {
  const { status, ...more } = observed[name];
  return pod(status, more);
}

type Terminated = { exitCode: number; reason?: string; message?: string };
const worker = { name: "worker", ready: false, restartCount: 1 };
const runningAgain = (terminated: Terminated, restartCount = 1) =>
  pod({ containerStatuses: [{ ...worker, restartCount, state: { running: {} }, lastState: { terminated } }] });

test.each<[name: keyof typeof recorded, reason: string | undefined, words: string]>([
  ["imageUnreachable", "ImagePullFailed", "connection refused"],
  ["imageBackOff", "ImagePullFailed", "Back-off pulling image"],
  ["imageInvalid", "ImagePullFailed", "must be lowercase"],
  ["tooLarge", "Unschedulable", "1 Insufficient cpu"],
  ["noNode", "Unschedulable", "didn't match Pod's node affinity/selector"],
  ["gated", "SchedulingGated", "non-empty scheduling gates"],
  ["failedAgain", "WorkerFailed", 'Cannot read "/nonesuch/plan.json"'],
  ["backOff", "WorkerFailed", 'Cannot read "/nonesuch/plan.json"'],
  ["silent", "WorkerFailed", "exit code 1"],
  ["noProgram", "StartError", 'exec: "/nonesuch"'],
  ["noProgramBackOff", "StartError", 'exec: "/nonesuch"'],
  ["noEnvironment", "CreateContainerConfigError", 'secret "nonesuch" not found'],
  ["deadline", "DeadlineExceeded", "longer than the specified deadline"],
  ["nodeFull", "OutOfcpu", "Node didn't have enough resource: cpu"],
  ["deleted", "WorkerDeleted", "is being deleted"],
  ["noVolume", undefined, ""],
  ["running", undefined, ""],
])("a Pod that is %s is in the trouble %s", (name, reason, words) => {
  const trouble = troubleOf([observedPod(name)]);
  expect(trouble?.reason).toBe(reason as string);
  expect(trouble?.message ?? "").toContain(words);
});

test("what only an Event says is the trouble of a Pod that has long been starting", () => {
  const waiting = observedPod("noVolume");
  const scheduled = waiting.status?.conditions?.find(({ type }) => type === "PodScheduled");
  const scheduledAtMs = Date.parse(scheduled?.lastTransitionTime as string);
  expect(isLongStarting(waiting, scheduledAtMs + 1000)).toBe(false);
  expect(isLongStarting(waiting, scheduledAtMs + 5000)).toBe(true);
  for (const name of ["running", "gated", "imageBackOff", "deadline"] as const) {
    expect(isLongStarting(observedPod(name), scheduledAtMs + 1e9)).toBe(false);
  }
  const told = (reason: string) => troubleOf([waiting], [], new Map([["u0", { reason, message: "why" }]]));
  expect(told("FailedMount")).toEqual({ reason: "VolumeNotMounted", message: '1 worker: Pod "lt-0": why' });
  expect(told("FailedCreatePodSandBox")?.reason).toBe("StartDelayed");
  expect(told("FailedScheduling")).toBeUndefined(); // before it had a node
});

const forbidden = 'pods "lt-0" is forbidden: ';
test.each<[code: number, message: string, reason: string]>([
  [403, `${forbidden}exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0`, "QuotaExceeded"],
  [403, `${forbidden}failed quota: cpu: must specify limits.cpu for: worker`, "QuotaExceeded"],
  [403, `${forbidden}violates PodSecurity "restricted:latest": runAsNonRoot != true`, "PodSecurityViolation"],
  [403, `${forbidden}maximum memory usage per Container is 1Mi, but limit is 1Gi`, "PodRefused"],
  [403, `${forbidden}User "system:serviceaccount:a:b" cannot create resource "pods"`, "PodRefused"],
  [422, 'Pod "lt-0" is invalid: violates PodSecurity is not what this is', "PodRefused"],
])("a refusal of %i is told in the server's words: %s", (code, message, reason) => {
  const refused: RefusedCreation = { pod: "lt-0", code, message };
  expect(troubleOf([], [refused])).toEqual({ reason, message: `1 worker: Pod "lt-0" was refused: ${message}` });
});

test("every failure that a worker can tell of has a reason of its own, also while it runs again", () => {
  const reasonOf = (reason: (typeof failureKinds)[number]) =>
    troubleOf([
      runningAgain({ exitCode: 1, reason: "Error", message: formatWorkerFailure({ reason, message: "why" }) }),
    ]);
  for (const kind of failureKinds) {
    expect(reasonOf(kind)).toEqual({
      reason: expect.stringMatching(/^Target/) as never,
      message: '1 worker: Pod "lt-0": why',
    });
  }
  expect(["dns", "refused", "connect", "tlsName"].map((kind) => reasonOf(kind as "dns")?.reason)).toEqual([
    "TargetNotFound",
    "TargetRefused",
    "TargetUnreachable",
    "TargetTls",
  ]);
});

test("too little memory, a crash loop and a mere failure are told apart", () => {
  expect(troubleOf([runningAgain({ exitCode: 137, reason: "OOMKilled" })])?.reason).toBe("OutOfMemory");
  expect(troubleOf([runningAgain({ exitCode: 1 }, 2)])?.reason).toBe("WorkerFailed");
  const loop = troubleOf([runningAgain({ exitCode: 1, message: "why" }, 3)]);
  expect(loop).toEqual({ reason: "CrashLoop", message: '1 worker: Pod "lt-0": it was started 4 times; why' });
  expect(troubleOf([runningAgain({ exitCode: 0 }, 3)])).toBeUndefined();
});

test.each([
  ["DeletionByTaintManager", "NodeLost"],
  ["PreemptionByScheduler", "Preempted"],
  ["EvictionByEvictionAPI", "Evicted"],
])("a Pod that goes because of %s is %s", (reason, expected) => {
  const conditions = [{ type: "DisruptionTarget", status: "True" as const, reason, message: "why" }];
  expect(troubleOf([pod({ conditions }, { deletionTimestamp: "2030-01-01T00:00:00Z" })])?.reason).toBe(expected);
});

test("a Pod whose node does not answer is lost, although its container is said to run", () => {
  const { status } = observed.running;
  const conditions = status.conditions?.map((one) =>
    one.type === "Ready" ? { ...one, status: "False" as const } : one,
  );
  expect(troubleOf([pod({ ...status, ...(conditions === undefined ? {} : { conditions }) })])?.reason).toBe("NodeLost");
  const gated = conditions?.map((one) => (one.type === "Ready" ? { ...one, reason: "ReadinessGatesNotReady" } : one));
  expect(troubleOf([pod({ ...status, ...(gated === undefined ? {} : { conditions: gated }) })])).toBeUndefined();
});

test("the trouble of most workers comes first, with how many have it and one example", () => {
  const named = (name: string, of: keyof typeof recorded) => pod(observed[of].status, { name });
  const pods = [named("a", "gated"), named("b", "nodeFull"), named("c", "running"), named("d", "nodeFull")];
  expect(troubleOf(pods)).toEqual({
    reason: "OutOfcpu",
    message: `2 workers: Pod "b": ${observed.nodeFull.status.message}; 1 worker: SchedulingGated`,
  });
});

test("whatever they say, the message stays on one line and short", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 1000, unit: "binary" }), (message) => {
      const told = troubleOf([], [{ pod: "p", code: 400, message }])?.message ?? "";
      expect(told.length).toBeLessThan(500);
      expect(told).not.toContain("\n");
    }),
  );
});
