// What the doctor says of the controller: Deployment, Pods, Service, Lease and policy.
import { describe, expect, test } from "bun:test";
import { judgeLeader } from "../../../lib/fleet/doctor/leader.ts";
import { judgePodPolicy, workerImageOf } from "../../../lib/fleet/doctor/pod-policy.ts";
import {
  type ControllerPod,
  judgeDeployment,
  judgeEndpoints,
  judgeImages,
  judgePods,
} from "../../../lib/fleet/doctor/workload.ts";
import type { AdmissionPolicy, Deployment } from "../../../lib/fleet/resources.ts";
import { podPolicy } from "../../../lib/manifest/pod-policy.ts";
import { ago, cluster, meta, named, nowMs, said } from "./samples.ts";

describe("workload", () => {
  const deployment = (replicas: number, status: object = {}): Deployment =>
    ({
      ...named("Deployment", "loadtest"),
      spec: { replicas, template: { spec: { containers: [] } } },
      status,
    }) as Deployment;
  test.each([
    [deployment(2, { readyReplicas: 2, updatedReplicas: 2 }), "ok: 2 of 2 replicas ready"],
    [undefined, "failure: there is none, so that no controller runs"],
    [deployment(0), "failure: 0 replicas are wanted, so that no controller runs"],
    [
      deployment(2, { conditions: [{ type: "ReplicaFailure", status: "True", message: "exceeded quota" }] }),
      "failure: its Pods are refused: exceeded quota",
    ],
    [deployment(2), "failure: 0 of 2 replicas ready"],
    [deployment(2, { readyReplicas: 1, updatedReplicas: 2 }), "warning: 1 of 2 replicas ready"],
    [deployment(2, { readyReplicas: 2, updatedReplicas: 1 }), "warning: 1 of 2 updated"],
    [deployment(1, { readyReplicas: 1, updatedReplicas: 1 }), "warning: 1 of 1 replica ready: nobody stands in for it"],
  ])("Deployment of case %#", (found, words) => {
    expect(said(judgeDeployment(cluster, found))).toBe(words);
  });

  const pod = (name: string, container: object = {}, rest: object = {}, ready = "True"): ControllerPod =>
    ({
      ...named("Pod", name),
      spec: { containers: [{ name: "controller", image: "i:1" }] },
      status: {
        conditions: [{ type: "Ready", status: ready }],
        containerStatuses: [{ restartCount: 0, imageID: "i@sha256:aa", ...container }],
        ...rest,
      },
    }) as unknown as ControllerPod;
  const unready = (container: object, rest: object = {}) => pod("a", container, rest, "False");
  const ended = { reason: "OOMKilled", exitCode: 137, finishedAt: ago(120) };
  test.each([
    [[pod("a"), pod("b")], "ok: in order: a, b"],
    [[], "failure: there are none"],
    [
      [unready({ state: { waiting: { reason: "ImagePullBackOff", message: "no such image" } } })],
      "failure: a: ImagePullBackOff: no such image",
    ],
    [
      [
        unready({
          restartCount: 4,
          state: { waiting: { reason: "CrashLoopBackOff" } },
          lastState: { terminated: ended },
        }),
      ],
      "failure: a: CrashLoopBackOff: OOMKilled, exit code 137",
    ],
    [
      [
        unready(
          {},
          {
            containerStatuses: [],
            conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/1 nodes" }],
          },
        ),
      ],
      "failure: a: Unschedulable: 0/1 nodes",
    ],
    [
      [pod("a", { restartCount: 2, lastState: { terminated: ended } }), pod("b")],
      "warning: started again: a 2 min ago, OOMKilled, exit code 137, 2 in all",
    ],
    [
      [pod("a", { restartCount: 2, lastState: { terminated: { ...ended, finishedAt: ago(7300) } } })],
      "ok: in order: a",
    ],
    [[pod("b"), { ...unready({}), ...meta("a", { deletionTimestamp: ago(1) }) } as ControllerPod], "ok: in order: b"],
    [[pod("b"), unready({}, { phase: "Failed", reason: "Evicted" })], "ok: in order: b"],
  ])("Pods of case %#", (pods, words) => {
    expect(said(judgePods("n", pods, nowMs))).toBe(words);
  });

  test("images are compared by digest", () => {
    const other = pod("b", { imageID: `i@sha256:${"b".repeat(64)}` });
    expect(said(judgeImages("n", [pod("a"), pod("b")]))).toBe("ok: i:1, sha256:aa");
    expect(said(judgeImages("n", [pod("a"), other]))).toBe(
      "warning: Pods run different ones: sha256:aa in a; sha256:bbbbbbbbbbbb in b",
    );
    expect(judgeImages("n", []).level).toBe("warning");
  });

  test("a Service needs an endpoint that is ready", () => {
    const slice = (...ready: boolean[]) => ({
      ...named("EndpointSlice", "s"),
      endpoints: ready.map((each) => ({ addresses: ["1.2.3.4"], conditions: { ready: each } })),
    });
    expect(said(judgeEndpoints("n", [slice(true, false)]))).toBe("ok: 1 of 2 endpoints ready");
    expect(said(judgeEndpoints("n", [slice(false)]))).toBe(
      "failure: none of 1 endpoints is ready: the API server reaches nobody",
    );
    expect(said(judgeEndpoints("n", [{ ...named("EndpointSlice", "s"), endpoints: null }]))).toBe(
      "failure: it has no endpoints: the API server reaches nobody",
    );
  });

  const lease = (spec: object | undefined) => ({ ...named("Lease", "l"), ...(spec === undefined ? {} : { spec }) });
  const held = (seconds: number) => lease({ holderIdentity: "a_1", leaseDurationSeconds: 15, renewTime: ago(seconds) });
  test.each([
    [held(2), 'ok: held by "a_1", renewed 2 s ago'],
    [undefined, "failure: there is none, so that no controller acts"],
    [lease(undefined), "failure: nobody holds it, so that no controller acts"],
    [held(16), 'failure: "a_1" has not renewed it for 16 s: no controller acts'],
    [
      lease({ holderIdentity: "laptop_1", renewTime: ago(1) }),
      'warning: held by "laptop_1", renewed 1 s ago, which is no Pod here',
    ],
  ])("Lease of case %#", (found, words) => {
    expect(said(judgeLeader({ placement: cluster, lease: found, pods: ["a"], nowMs }))).toBe(words);
  });

  test("a controller outside of the cluster may do without the Lease", () => {
    const placement = { kind: "outOfCluster", url: "https://x" } as const;
    expect(said(judgeLeader({ placement, lease: lease(undefined), pods: [], nowMs }))).toBe(
      "warning: nobody holds it: no controller acts, or one without --leader-elect",
    );
    expect(judgeLeader({ placement, lease: held(2), pods: [], nowMs }).level).toBe("ok");
  });

  const policy = podPolicy("i:1") as unknown as AdmissionPolicy;
  test.each([
    [policy, true, "i:1", "ok: worker Pods of i:1 and no others"],
    [policy, true, undefined, "ok: worker Pods of i:1 and no others"],
    [policy, true, "i:2", "failure: it allows the image i:1, and the controller starts i:2: no worker can be made"],
    [policy, false, "i:1", "warning: it is not bound: the controller's account may make any Pod"],
    [undefined, true, "i:1", "warning: there is none: the controller's account may make any Pod"],
    [
      { ...policy, status: { typeChecking: { expressionWarnings: [{ fieldRef: "spec.x", warning: "what?" }] } } },
      true,
      "i:1",
      "warning: the API server does not understand spec.x: what?",
    ],
  ])("policy of case %#", (found, isBoundToo, image, words) => {
    expect(said(judgePodPolicy(cluster, found, isBoundToo, image))).toBe(words);
  });

  test("workers' image is the variable's, else the controller's own", () => {
    const of = (container: object) =>
      workerImageOf({ ...deployment(1), spec: { template: { spec: { containers: [container] } } } } as Deployment);
    expect(of({ image: "a", env: [{ name: "LOADTEST_IMAGE", value: "b" }] })).toBe("b");
    expect(of({ image: "a" })).toBe("a");
    expect(workerImageOf(undefined)).toBeUndefined();
  });
});
