// What the doctor says of LoadTests, workers and namespaces.
import { describe, expect, test } from "bun:test";
import { judgeAttention, judgeLeaving, judgeOrphans, judgeWorkers } from "../../../lib/fleet/doctor/load-tests.ts";
import { judgeOwnNamespace, judgeQuotas, judgeTrials } from "../../../lib/fleet/doctor/namespaces.ts";
import { quantity } from "../../../lib/fleet/doctor/quota.ts";
import type { LoadTest } from "../../../lib/loadtest/load-test.ts";
import type { KubeObject, Pod } from "../../../lib/plan/objects.ts";
import { ago, named, nowMs, said } from "./samples.ts";

describe("objects", () => {
  const loadTest = (name: string, seconds: number, status?: object) =>
    ({
      ...named("LoadTest", name, { namespace: "n", uid: `uid-${name}`, creationTimestamp: ago(seconds) }),
      spec: { service: "s", scheme: "http", requestsPerSecond: 1 },
      ...(status === undefined ? {} : { status }),
    }) as unknown as LoadTest & KubeObject;
  const seen = { observedGeneration: 1 };
  test("LoadTests that nobody has looked at are a failure once they are old", () => {
    const tests = [loadTest("a", 10), loadTest("b", 90, seen)];
    expect(said(judgeAttention([], true, nowMs))).toBe("ok: none");
    expect(said(judgeAttention(tests, true, nowMs))).toBe("ok: 2, all looked after");
    expect(said(judgeAttention([...tests, loadTest("c", 90)], true, nowMs))).toBe(
      "failure: 1 of 3 that no controller has looked at: n/c",
    );
  });

  test("what is deleted and does not go is named with what it waits for", () => {
    const leaving = (kind: string, seconds: number, finalizers: string[]) =>
      named(kind, "a", { namespace: "n", deletionTimestamp: ago(seconds), finalizers });
    expect(said(judgeLeaving([leaving("LoadTest", 200, ["x/y"]), named("Canary", "b")], nowMs))).toBe(
      "ok: none that is stuck",
    );
    expect(said(judgeLeaving([leaving("LoadTest", 400, ["x/y"]), leaving("Pod", 7300, [])], nowMs))).toBe(
      "failure: LoadTest n/a waits for finalizer x/y since 6 min, Pod n/a waits for its node since 2 h",
    );
  });

  const worker = (owner: string, seconds: number, status: object = {}) =>
    ({
      ...named("Pod", `p-${owner}`, {
        namespace: "n",
        creationTimestamp: ago(seconds),
        ownerReferences: [
          { apiVersion: "beta.kuar.com/v1", kind: "LoadTest", name: owner, uid: `uid-${owner}`, controller: true },
        ],
      }),
      spec: { containers: [] },
      status,
    }) as unknown as Pod;
  test("workers without a LoadTest are a warning, and a failure once nobody ends them", () => {
    const world = (seconds: number) => ({
      loadTests: [loadTest("a", 1)],
      others: [],
      workers: [worker("a", 900), worker("b", seconds)],
    });
    expect(said(judgeOrphans(world(10), nowMs))).toBe("warning: 1 worker whose LoadTest is gone: n/p-b");
    expect(judgeOrphans(world(400), nowMs).level).toBe("failure");
    expect(said(judgeOrphans({ ...world(1), workers: [] }, nowMs))).toBe("ok: none");
  });

  test("workers of runs that go on and are in trouble are a warning", () => {
    const waiting = {
      containerStatuses: [
        { name: "worker", restartCount: 0, state: { waiting: { reason: "ErrImagePull", message: "no" } } },
      ],
    };
    const complete = { ...seen, conditions: [{ type: "Complete", status: "True" }] };
    const of = (status: object) =>
      judgeWorkers({ loadTests: [loadTest("a", 1, status)], others: [], workers: [worker("a", 9, waiting)] });
    expect(said(of(seen))).toBe('warning: ImagePullFailed: 1 worker: Pod "p-a": no');
    expect(said(of(complete))).toBe("ok: none");
  });

  test.each([
    ["10", 10],
    ["500m", 0.5],
    ["1Gi", 2 ** 30],
    ["1.5k", 1500],
    ["1e3", 1000],
    ["2E", 2e18],
    ["x", undefined],
  ])("quantity %s is %p", (text, value) => {
    expect(quantity(text)).toBe(value);
  });

  test("a quota that is nearly used up is a warning", () => {
    const quota = (hard: Record<string, string>, used: Record<string, string>) => ({
      ...named("ResourceQuota", "q", { namespace: "n" }),
      status: { hard, used },
    });
    expect(said(judgeQuotas([]))).toBe("ok: none where LoadTests are");
    expect(
      said(judgeQuotas([quota({ pods: "10", "requests.memory": "1Gi" }, { pods: "8", "requests.memory": "512Mi" })])),
    ).toBe("ok: 1 quota with room");
    expect(
      said(judgeQuotas([quota({ pods: "10", "requests.memory": "1Gi" }, { pods: "10", "requests.memory": "1000Mi" })])),
    ).toBe("warning: little or nothing left of n/q: pods 10 of 10, requests.memory 1000Mi of 1Gi");
  });

  test("a namespace that refuses workers is a failure", () => {
    expect(judgeTrials([]).level).toBe("ok");
    expect(judgeTrials([{ namespace: "a", refusal: undefined }]).level).toBe("ok");
    expect(
      said(
        judgeTrials([
          { namespace: "a", refusal: undefined },
          { namespace: "b", refusal: "exceeded quota" },
        ]),
      ),
    ).toBe("failure: in b: exceeded quota");
  });

  test("the extension's namespace is restricted", () => {
    const namespace = (level: string) =>
      named("Namespace", "n", { labels: { "pod-security.kubernetes.io/enforce": level } });
    expect(judgeOwnNamespace(namespace("restricted")).level).toBe("ok");
    expect(said(judgeOwnNamespace(namespace("baseline")))).toStartWith(
      "warning: baseline is enforced, must be restricted",
    );
    expect(judgeOwnNamespace(named("Namespace", "n")).level).toBe("warning");
    expect(judgeOwnNamespace(undefined).level).toBe("failure");
  });
});
