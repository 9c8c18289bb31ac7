// What the doctor says of what it sees, in tables: observed values in, findings out.
import { describe, expect, test } from "bun:test";
import { encodeText } from "../../lib/cert/base64.ts";
import type { Finding } from "../../lib/cert/finding.ts";
import { type DryRun, judgeAdmission } from "../../lib/fleet/doctor/admission.ts";
import { runChecks } from "../../lib/fleet/doctor/check.ts";
import { isBound, judgeExcess } from "../../lib/fleet/doctor/excess.ts";
import { differenceOf, judgeKind } from "../../lib/fleet/doctor/kinds.ts";
import { judgeLeader } from "../../lib/fleet/doctor/leader.ts";
import { judgeAttention, judgeLeaving, judgeOrphans, judgeWorkers } from "../../lib/fleet/doctor/load-tests.ts";
import { judgeOwnNamespace, judgeQuotas, judgeTrials } from "../../lib/fleet/doctor/namespaces.ts";
import { judgeNodeClocks, judgeNodes } from "../../lib/fleet/doctor/nodes.ts";
import { judgeParts, type Part } from "../../lib/fleet/doctor/parts.ts";
import { judgePlacements, placementsOf, type Traces } from "../../lib/fleet/doctor/placements.ts";
import { judgePodPolicy, workerImageOf } from "../../lib/fleet/doctor/pod-policy.ts";
import { quantity } from "../../lib/fleet/doctor/quota.ts";
import { judgeRegistration, type Registration } from "../../lib/fleet/doctor/registrations.ts";
import type { AdmissionPolicy, Deployment, Kind, Node, Role, RoleBinding } from "../../lib/fleet/doctor/resources.ts";
import { formatAccess, judgeCaller, judgeRights, neededAccesses } from "../../lib/fleet/doctor/rights.ts";
import { clockSkewMs, judgeClock, judgeVersion } from "../../lib/fleet/doctor/server.ts";
import { judgeServing } from "../../lib/fleet/doctor/serving.ts";
import { span } from "../../lib/fleet/doctor/words.ts";
import {
  type ControllerPod,
  judgeDeployment,
  judgeEndpoints,
  judgeImages,
  judgePods,
} from "../../lib/fleet/doctor/workload.ts";
import { ApiError } from "../../lib/kube/api-error.ts";
import type { LoadTest } from "../../lib/loadtest/load-test.ts";
import { loadTestResource } from "../../lib/manifest/load-test-resource.ts";
import { podPolicy } from "../../lib/manifest/pod-policy.ts";
import { validatingConfiguration } from "../../lib/manifest/webhooks.ts";
import type { KubeObject, Pod } from "../../lib/plan/objects.ts";
import { middleMs, sampleAuthority, sampleLeaf } from "../pki/samples.ts";

const cluster = { kind: "cluster" } as const;
const namespaced = { kind: "namespaced", namespace: "mine" } as const;
const nowMs = middleMs;
const ago = (seconds: number) => new Date(nowMs - seconds * 1000).toISOString();
const said = ({ level, message }: Finding) => `${level}: ${message}`;
const meta = (name: string, rest: object = {}) => ({ metadata: { name, ...rest } });
const named = (kind: string, name: string, rest: object = {}): KubeObject => ({
  apiVersion: "v1",
  kind,
  ...meta(name, rest),
});

describe("server", () => {
  test.each([
    [{ gitVersion: "v1.34.4", minor: "34" }, "ok: v1.34.4, tested with 1.31 to 1.34"],
    [{ gitVersion: "v1.31.9-eks", minor: "31+" }, "ok: v1.31.9-eks, tested with 1.31 to 1.34"],
    [
      { gitVersion: "v1.34.4", minor: "34", emulationMinor: "31" },
      "ok: v1.34.4, which behaves as 1.31, tested with 1.31 to 1.34",
    ],
    [{ gitVersion: "v1.35.0", minor: "35" }, "warning: v1.35.0: tested with 1.31 to 1.34 only"],
    [{ gitVersion: "v1.30.1", minor: "30" }, "warning: v1.30.1: tested with 1.31 to 1.34 only"],
    [{ gitVersion: "v1.29.0", minor: "29" }, "failure: v1.29.0: must be 1.30 or later"],
    [
      { gitVersion: "v1.34.4", minor: "34", emulationMinor: "29" },
      "failure: v1.34.4, which behaves as 1.29: must be 1.30 or later",
    ],
  ])("version %j", (version, words) => {
    expect(said(judgeVersion(version))).toBe(words);
  });

  test.each([
    // the server tells whole seconds: from 10.000 to 10.999
    [{ serverMs: 10_000, beforeMs: 10_000, afterMs: 10_100 }, 0],
    [{ serverMs: 10_000, beforeMs: 10_900, afterMs: 11_500 }, 0],
    [{ serverMs: 10_000, beforeMs: 4000, afterMs: 4100 }, 5900],
    [{ serverMs: 10_000, beforeMs: 21_000, afterMs: 21_100 }, -10_000],
  ])("clock %j is off by %d ms", (reading, skewMs) => {
    expect(clockSkewMs(reading)).toBe(skewMs);
  });

  test("a clock that is off is a warning, and a failure where certificates suffer", () => {
    const at = (serverMs: number) => judgeClock({ serverMs, beforeMs: 1e9, afterMs: 1e9 });
    expect(said(at(1e9 + 2000))).toBe("ok: the API server's agrees with this machine's");
    expect(said(at(1e9 + 5000))).toBe("warning: the API server's is 5 s ahead of this machine's");
    expect(said(at(1e9 - 600_000))).toBe("failure: the API server's is 9 min behind this machine's");
    expect(judgeClock(undefined).level).toBe("warning");
  });
});

describe("nodes", () => {
  const node = (name: string, version = "v1.34.4", ready = "True") =>
    ({
      ...named("Node", name),
      status: { conditions: [{ type: "Ready", status: ready }], nodeInfo: { kubeletVersion: version } },
    }) as Node;
  test.each([
    [[node("a"), node("b", "v1.33.1")], "ok: 2 nodes ready, v1.33.1, v1.34.4"],
    [[], "warning: there are none, so that nothing can run"],
    [[node("a"), node("b", "v1.34.4", "Unknown")], "warning: 1 of 2 not ready: b"],
    [
      [node("a", "v1.35.0"), node("b", "v1.30.2"), node("c", "v1.31.0")],
      "warning: kubelets that do not go with an API server of 1.34: a (v1.35.0), b (v1.30.2)",
    ],
  ])("of case %#", (nodes, words) => {
    expect(said(judgeNodes(nodes, 34))).toBe(words);
  });

  test("clocks are judged by the Leases of nodes that are ready", () => {
    const beat = (name: string, seconds: number) => ({ ...named("Lease", name), spec: { renewTime: ago(seconds) } });
    const nodes = [node("good"), node("ahead"), node("behind"), node("gone", "v1.34.4", "Unknown")];
    const beats = [beat("good", 9), beat("ahead", -5), beat("behind", 90), beat("gone", 500), beat("stranger", -50)];
    expect(said(judgeNodeClocks(nodes, beats, nowMs))).toBe("warning: ahead is 5 s ahead, behind is up to 90 s behind");
    expect(judgeNodeClocks(nodes.slice(0, 1), beats, nowMs).level).toBe("ok");
  });
});

describe("installation", () => {
  const nothing: Traces = { deployments: [], url: undefined, isRegistered: false, hasAccount: false };
  test.each([
    [nothing, []],
    [{ ...nothing, deployments: ["loadtest-system"], isRegistered: true, hasAccount: true }, [cluster]],
    [{ ...nothing, hasAccount: true }, [cluster]],
    [{ ...nothing, deployments: ["mine"] }, [namespaced]],
    [{ ...nothing, deployments: ["mine", "loadtest-system"], hasAccount: true }, [cluster, namespaced]],
    [
      { ...nothing, url: "https://x", isRegistered: true, hasAccount: true },
      [{ kind: "outOfCluster" as const, url: "https://x" }],
    ],
  ])("traces %j", (traces, placements) => {
    expect(placementsOf(traces)).toEqual(placements);
  });

  test("none is a failure", () => {
    expect(said(judgePlacements([]))).toBe("failure: there is none");
    expect(said(judgePlacements([cluster, namespaced]))).toBe(
      "ok: in loadtest-system, for all namespaces; in namespace mine, for it alone",
    );
  });

  test("parts that are missing, on their way out or not to be seen are named", () => {
    const part = (name: string, state: Part["state"]) => ({ object: named("Secret", name, { namespace: "n" }), state });
    const of = (...parts: Part[]) => said(judgeParts(cluster, parts));
    expect(of(part("a", "there"))).toBe("ok: 1 object there");
    expect(of(part("a", "there"), part("b", "missing"), part("c", "leaving"))).toBe("failure: missing: Secret n/b");
    expect(of(part("c", "leaving"))).toBe("failure: being deleted: Secret n/c");
    expect(of(part("a", "there"), part("d", "hidden"))).toBe("warning: you may not see Secret n/d");
  });
});

describe("rights", () => {
  test("each needed right is one question, on its object where that has a name", () => {
    const words = neededAccesses(cluster).map(formatAccess);
    expect(new Set(words).size).toBe(words.length);
    for (const one of [
      "patch loadtests.beta.kuar.com/status",
      "get pods/log",
      'update secrets "loadtest-webhook-ca"',
      'update leases.coordination.k8s.io "loadtest-controller"',
    ]) {
      expect(words).toContain(one);
    }
    const scopes = neededAccesses(namespaced).map(({ namespace }) => namespace);
    expect(new Set(scopes)).toEqual(new Set(["mine"]));
  });

  test("what is missing is named, all of it as all", () => {
    const needed = neededAccesses(cluster);
    const without = (...indexes: number[]) =>
      said(
        judgeRights(
          cluster,
          needed,
          needed.map((_, at) => !indexes.includes(at)),
        ),
      );
    expect(without()).toBe(`ok: all ${needed.length} that the controller needs`);
    expect(without(0, 1)).toBe(
      "failure: the controller may not get loadtests.beta.kuar.com, list loadtests.beta.kuar.com",
    );
    expect(without(...needed.keys())).toBe(`failure: none of the ${needed.length} that it needs`);
    expect(
      said(
        judgeCaller(
          needed,
          needed.map((_, at) => at !== 0),
        ),
      ),
    ).toBe("warning: you may not get loadtests.beta.kuar.com: 1 look will be missing");
  });

  test("bindings of the account and of accounts as such count, those of everybody do not", () => {
    const binding = (...subjects: object[]) => ({ ...named("RoleBinding", "b"), subjects }) as unknown as RoleBinding;
    const account = (namespace: string) => ({ kind: "ServiceAccount", name: "loadtest", namespace });
    expect(isBound(binding(account("loadtest-system")), "loadtest-system")).toBe(true);
    expect(isBound(binding(account("other")), "loadtest-system")).toBe(false);
    expect(isBound(binding({ kind: "Group", name: "system:serviceaccounts:loadtest-system" }), "loadtest-system")).toBe(
      true,
    );
    expect(isBound(binding({ kind: "Group", name: "system:authenticated" }), "loadtest-system")).toBe(false);
  });

  test("roles that grant more than is needed are named with what they grant", () => {
    const role = (...rules: NonNullable<Role["rules"]>): Role => ({ ...named("Role", "r"), rules });
    const pods = { apiGroups: [""], resources: ["pods"], verbs: ["get"] };
    const grant = (given: Role | undefined) => said(judgeExcess(cluster, [{ by: "RoleBinding r", role: given }]));
    expect(grant(role(pods))).toBe("ok: none");
    expect(grant(undefined)).toBe("ok: none");
    expect(grant(role({ ...pods, verbs: ["get", "update"] }))).toBe("warning: RoleBinding r grants update pods");
    expect(grant(role({ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }))).toBe(
      "warning: RoleBinding r grants everything",
    );
    expect(grant(role({ verbs: ["get"] }))).toBe("ok: none"); // of paths that are no resources
  });
});

describe("kinds", () => {
  const desired = loadTestResource() as unknown as Kind;
  const status = {
    storedVersions: ["v1"],
    conditions: [
      { type: "Established", status: "True" as const },
      { type: "NamesAccepted", status: "True" as const },
    ],
  };
  const stored: Kind = { ...desired, status };
  const condition = (type: string, value: "True" | "False", message = "words") => ({ type, status: value, message });
  test.each([
    ["as it should be", stored, "ok: established, stored as v1, the schema is this binary's"],
    ["absent", undefined, "failure: there is none"],
    ["new", { ...desired }, "failure: it is not Established: the API server has not said so"],
    [
      "of a taken name",
      { ...stored, status: { ...status, conditions: [status.conditions[0], condition("NamesAccepted", "False")] } },
      "failure: it is not NamesAccepted: words",
    ],
    [
      "not structural",
      {
        ...stored,
        status: { ...status, conditions: [...status.conditions, condition("NonStructuralSchema", "True")] },
      },
      "failure: NonStructuralSchema: words",
    ],
    [
      "on its way out",
      { ...stored, status: { ...status, conditions: [...status.conditions, condition("Terminating", "True")] } },
      "failure: Terminating: words",
    ],
    [
      "stored in an old version",
      { ...stored, status: { ...status, storedVersions: ["v1alpha1", "v1"] } },
      "failure: objects may be stored in version v1alpha1, which this binary does not know",
    ],
    [
      "of another scope",
      { ...stored, spec: { ...stored.spec, scope: "Cluster" } },
      "warning: another than this binary's: spec.scope differs",
    ],
  ])("%s", (_, found, words) => {
    expect(said(judgeKind(desired, found as Kind | undefined))).toBe(words);
  });

  test("the first difference has a path", () => {
    expect(differenceOf({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, "x")).toBeUndefined();
    expect(differenceOf({ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] }, "x")).toBe("x.a[1].b");
    expect(differenceOf({ a: 1 }, { a: 1, c: 1 }, "x")).toBe("x.c");
    expect(differenceOf([1], [1, 2], "x")).toBe("x[1]");
  });
});

describe("webhooks", async () => {
  const authority = await sampleAuthority();
  const chainPem = await sampleLeaf(authority);
  const bundlePem = authority.certificatePem;
  const desired = validatingConfiguration() as unknown as Registration;
  const hook = desired.webhooks?.[0] as NonNullable<Registration["webhooks"]>[number];
  const caBundle = encodeText(bundlePem);
  const registered = (changes: object = {}, place: object = { caBundle }): Registration => ({
    ...desired,
    webhooks: [
      {
        ...hook,
        namespaceSelector: {},
        objectSelector: {},
        clientConfig: { ...hook.clientConfig, ...place },
        ...changes,
      },
    ],
  });
  test.each([
    ["as it should be", registered(), "ok: registered, failurePolicy Fail"],
    ["absent", undefined, "failure: it is not registered: the API server asks nobody"],
    [
      "of another name",
      registered({ name: "other" }),
      "failure: it has no webhook validator.kuar.com: the API server asks nobody",
    ],
    ["new", registered({}, {}), "failure: it has no caBundle yet, so that the API server trusts no answer"],
    ["with junk", registered({}, { caBundle: "anVuaw==" }), "failure: its caBundle holds no certificate"],
    [
      "failing open",
      registered({ failurePolicy: "Ignore" }),
      "warning: failurePolicy is Ignore: without an answer everything is stored that the kinds' own rules allow",
    ],
    [
      "for some objects",
      registered({ objectSelector: { matchLabels: { a: "b" } } }),
      'warning: it asks about some objects only, those of {"matchLabels":{"a":"b"}}',
    ],
    [
      "slow",
      registered({ timeoutSeconds: 30 }),
      "warning: another than this binary's: validator.kuar.com.timeoutSeconds differs",
    ],
    [
      "elsewhere",
      registered({ clientConfig: { url: "https://x", caBundle } }),
      "warning: another than this binary's: validator.kuar.com.clientConfig.service differs",
    ],
  ])("%s", (_, found, words) => {
    expect(said(judgeRegistration(cluster, desired, found, nowMs))).toBe(words);
  });

  test("a caBundle that has ended is a failure", () => {
    const later = nowMs + 100 * 365 * 86_400e3;
    expect(said(judgeRegistration(cluster, desired, registered(), later))).toStartWith(
      "failure: its caBundle ended at ",
    );
  });

  const question = { bundlePem, host: "a.example", hasAnswered: true, nowMs };
  const shown = (by: string, pem: string) => ({ by, handshake: { fingerprint: by, chainPem: pem } });
  const silent = { by: "b", handshake: { silence: "no answer in 2000 ms" } };
  test("who cannot be reached is not checked, and that is only in order when the API server has got an answer", () => {
    expect(judgeServing({ ...question, presented: [silent] }).map(said)).toEqual([
      "ok: not checked from here (b: no answer in 2000 ms); the API server trusts it, as the dry run shows",
    ]);
    expect(
      judgeServing({ ...question, hasAnswered: false, presented: [{ by: "c", handshake: { refused: true } }] }).map(
        said,
      ),
    ).toEqual(["warning: not checked from here (c: nobody listens)"]);
    expect(judgeServing({ ...question, hasAnswered: false, presented: [] }).map(said)).toEqual([
      "warning: not checked from here (nobody serves it)",
    ]);
  });

  test("what the bundle does not vouch for is a failure, whoever else is silent", () => {
    const [finding] = judgeServing({ ...question, host: "b.example", presented: [silent, shown("a", chainPem)] });
    expect(finding?.level).toBe("failure");
    expect(finding?.message).toStartWith("refused by the caBundle, by a: certificate");
  });

  test("what all present and the bundle vouches for is in order; for a while they may differ", async () => {
    const presented = [shown("a", chainPem), shown("b", chainPem)];
    expect(judgeServing({ ...question, presented }).map(said)).toEqual([
      "ok: by all 2 endpoints, for a.example, trusted by the caBundle",
    ]);
    const newer = shown("b", await sampleLeaf(authority, { serialNumber: "03" }));
    expect(judgeServing({ ...question, presented: [shown("a", chainPem), newer] }).map(({ level }) => level)).toEqual([
      "warning",
    ]);
  });
});

describe("dry runs", () => {
  const taken = (paths?: string[]): DryRun => ({
    outcome: "taken",
    object: { ...named("LoadTest", "x"), spec: paths ? { paths } : {} },
  });
  const refused = (words: string, code = 400): DryRun => ({ outcome: "refused", code, said: words });
  const good = taken(["/index.html"]);
  const malformed = refused("spec.service: must be given", 422);
  const unnamed = refused('admission webhook "validator.kuar.com" denied the request: too long', 422);
  const levels = (runs: Parameters<typeof judgeAdmission>[0], hasWebhooks = true) => {
    const { findings, hasAnswered } = judgeAdmission(runs, hasWebhooks);
    return [...findings.map(({ level }) => level), hasAnswered];
  };
  test.each([
    ["all as it should be", { good, malformed, unnamed }, ["ok", "ok", "ok", true]],
    ["nothing filled in", { good: taken(), malformed, unnamed }, ["failure", "ok", "ok", true]],
    ["a validator that is not asked", { good, malformed, unnamed: taken() }, ["ok", "ok", "failure", false]],
    [
      "a validator that is away",
      { good: refused("failed calling webhook"), malformed, unnamed: refused("failed calling webhook", 500) },
      ["failure", "ok", "failure", false],
    ],
    ["a kind without rules", { good, malformed: taken(), unnamed }, ["ok", "failure", "ok", true]],
  ])("%s", (_, runs, expected) => {
    expect(levels(runs)).toEqual(expected as never);
  });

  test("without webhooks the kinds' own rules are all that is asked for", () => {
    expect(levels({ good: taken(), malformed, unnamed: taken() }, false)).toEqual(["ok", "ok", false]);
  });
});

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

describe("checks", () => {
  const fine: Finding = { subject: "a", level: "ok", message: "fine" };
  const forbidden = (message: string) =>
    new ApiError({
      method: "GET",
      path: "/x",
      code: 403,
      body: JSON.stringify({ kind: "Status", reason: "Forbidden", message }),
      retryAfter: null,
    });
  const run = (look: () => Promise<Finding[]>, late = new AbortController().signal) =>
    runChecks(
      [
        { subject: "a", look: async () => [fine] },
        { subject: "b", look },
      ],
      late,
    );

  test("who may not look is told what is missing, and the other checks are not touched", async () => {
    const words = 'nodes is forbidden: User "u" cannot list resource "nodes" in API group "" at the cluster scope';
    expect((await run(() => Promise.reject(forbidden(words)))).map(said)).toEqual([
      "ok: fine",
      "warning: not known: you may not list nodes",
    ]);
  });

  test("what fails is a failure, whatever it was", async () => {
    const cause = new Error("reset");
    const [, finding] = await run(() => Promise.reject(new Error("Cannot GET", { cause })));
    expect(finding && said(finding)).toBe("failure: not known: Cannot GET: reset");
  });

  test("what has not ended in time is a failure, and what has is kept", async () => {
    const late = new AbortController();
    const all = run(() => new Promise<never>(() => undefined), late.signal);
    await Bun.sleep(1);
    late.abort();
    expect((await all).map(said)).toEqual(["ok: fine", "failure: not known: no answer in time"]);
    expect((await run(() => new Promise<never>(() => undefined), late.signal)).map(({ level }) => level)).toContain(
      "failure",
    );
  });

  test.each([
    [0, "0 s"],
    [119_000, "119 s"],
    [120_000, "2 min"],
    [7_199_000, "119 min"],
    [7_200_000, "2 h"],
    [49 * 3600e3, "2 d"],
  ])("%d ms are %s", (ms, words) => {
    expect(span(ms)).toBe(words);
  });
});
