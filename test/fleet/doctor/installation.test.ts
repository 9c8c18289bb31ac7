// What the doctor says of what is installed: its parts, rights and kinds.
import { describe, expect, test } from "bun:test";
import { isBound, judgeExcess } from "../../../lib/fleet/doctor/excess.ts";
import { differenceOf, judgeKind } from "../../../lib/fleet/doctor/kinds.ts";
import { judgeParts, type Part } from "../../../lib/fleet/doctor/parts.ts";
import { judgePlacements, placementsOf, type Traces } from "../../../lib/fleet/doctor/placements.ts";
import type { Kind } from "../../../lib/fleet/doctor/resources.ts";
import { formatAccess, judgeCaller, judgeRights, neededAccesses } from "../../../lib/fleet/doctor/rights.ts";
import type { Role, RoleBinding } from "../../../lib/fleet/resources.ts";
import { loadTestResource } from "../../../lib/manifest/load-test-resource.ts";
import { servingSecret } from "../../../lib/manifest/names.ts";
import { cluster, named, namespaced, said } from "./samples.ts";

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
    const by = { by: "RoleBinding r", name: "r" };
    const grant = (given: Role | undefined) => said(judgeExcess(cluster, [{ ...by, role: given }]));
    expect(grant(role(pods))).toBe("ok: none");
    expect(grant(undefined)).toBe("ok: none");
    expect(grant(role({ ...pods, verbs: ["get", "update"] }))).toBe("warning: RoleBinding r grants update pods");
    expect(grant(role({ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }))).toBe(
      "warning: RoleBinding r grants everything",
    );
    expect(grant(role({ verbs: ["get"] }))).toBe("ok: none"); // of paths that are no resources
    const secrets = { apiGroups: [""], resources: ["secrets"], verbs: ["get"] };
    expect(grant(role({ ...secrets, resourceNames: [servingSecret] }))).toBe("ok: none");
    expect(grant(role({ ...secrets, resourceNames: ["other"] }))).toBe(
      'warning: RoleBinding r grants get secrets "other"',
    );
    expect(grant(role(secrets))).toBe("warning: RoleBinding r grants get secrets");
    expect(grant(role({ ...pods, resourceNames: ["one"] }))).toBe("ok: none");
  });

  test("what the extension's own roles grant too much is undone by another installation", () => {
    const role = { ...named("Role", "r"), rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["list"] }] };
    const grant = (name: string) => ({ by: `RoleBinding ${name}`, name, role });
    expect(judgeExcess(cluster, [grant("loadtest")]).remedy).toBe("loadtest install");
    expect(judgeExcess(cluster, [grant("other")]).remedy).toStartWith("delete the binding");
    expect(judgeExcess(cluster, [grant("other"), grant("loadtest")]).remedy).toEndWith("account; loadtest install");
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
