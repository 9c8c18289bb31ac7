// The doctor on a real cluster: nothing to say of an installation in order, and each thing that is broken is named.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Finding } from "../../lib/cert/finding.ts";
import { examineController } from "../../lib/fleet/doctor/rights.ts";
import { HttpKubeClient } from "../../lib/kube/http-client.ts";
import { loadConnection } from "../../lib/kube/kubeconfig.ts";
import { podPolicy } from "../../lib/manifest/pod-policy.ts";
import type { KubeObject } from "../../lib/plan/objects.ts";
import { loadtest } from "../binary/process.ts";
import {
  extensionNamespace,
  installExtension,
  manifestFile,
  objectsIn,
  removeExtension,
  removeWebhooks,
  scale,
} from "./extension.ts";
import { documentsOf, eventually, kubeconfig, kubectl } from "./kubectl.ts";
import { type Right, type Role, rightsOf, withoutRight } from "./rights.ts";

const namespace = "loadtest-doctor";
const roles = objectsIn("controller").filter(({ kind }) => /^(Cluster)?Role$/.test(kind)) as (Role & KubeObject)[];

interface Diagnosis {
  code: number;
  findings: Finding[];
}

async function diagnose(...args: string[]): Promise<Diagnosis> {
  const outcome = await loadtest(["doctor", "--kubeconfig", kubeconfig, "--output", "json", ...args]);
  const { clusters } = JSON.parse(outcome.out) as { clusters: [{ findings: Finding[] }] };
  return { code: outcome.code, findings: clusters[0].findings };
}

const complaints = ({ findings }: Diagnosis) =>
  findings
    .filter(({ level }) => level !== "ok")
    .map(({ subject, level, message }) => `${level}: ${subject}: ${message}`);
const apply = (...objects: object[]) => kubectl(["apply", "-f", "-"], documentsOf(objects));

/** The rights that the controller is said to lack; undefined when the doctor says nothing of the kind. */
function rightsIn(findings: readonly Finding[]): Right[] | undefined {
  const finding = findings.find(({ subject }) => subject === `rights of ${extensionNamespace}/loadtest`);
  if (finding?.level !== "failure") return undefined;
  const rights = finding.message.replace("the controller may not ", "").split(", ");
  return [...new Set(rights.map((right) => right.replace(/ "[^"]*"$/, "")))].toSorted();
}

describe.skipIf(kubeconfig === "")("doctor on a real cluster", () => {
  beforeAll(async () => {
    await installExtension();
    await kubectl(["create", "namespace", namespace]);
    await kubectl(["create", "serviceaccount", "stranger", "-n", namespace]);
  }, 180_000);

  afterAll(() => removeExtension(namespace), 120_000);

  test("an installation in order is found to be so, and nothing is left behind", async () => {
    const diagnosis = await eventually(diagnose, (each) => complaints(each).length === 0);
    expect(diagnosis.code).toBe(0);
    expect(diagnosis.findings.length).toBeGreaterThan(30);
    expect(await kubectl(["get", "lt,canaries,ltr,pods", "-A", "-l", "beta.kuar.com/loadtest", "-o", "name"])).toBe("");
    expect(await kubectl(["get", "lt,canaries", "-A", "-o", "name"])).toBe("");
  }, 90_000);

  const rules = roles.flatMap((role) => role.rules.map((rule, index) => ({ role, rule, index })));
  test.each(rules.map((each) => [JSON.stringify(each.rule), each] as const))(
    "without the rule %s its rights are named, and no others",
    async (_, { role, rule, index }) => {
      const without = { ...role, rules: role.rules.filter((_, other) => other !== index) };
      const missing = [...new Set(rightsOf({ ...role, rules: [rule] }))].toSorted();
      await apply(without);
      try {
        const diagnosis = await eventually(diagnose, (each) => rightsIn(each.findings) !== undefined);
        expect(rightsIn(diagnosis.findings)).toEqual(missing);
        expect(diagnosis.code).toBe(1);
      } finally {
        await apply(role);
      }
    },
    90_000,
  );

  const rights = roles.flatMap((role) => rightsOf(role).map((right) => [right, role] as const));
  test.each(rights)(
    "without the right to %s just that is named",
    async (right, role) => {
      const client = new HttpKubeClient(await loadConnection({ kubeconfig }));
      const look = () => examineController(client, { kind: "cluster" });
      await apply(withoutRight(role, right));
      try {
        const findings = await eventually(look, (each) => rightsIn(each) !== undefined);
        expect(rightsIn(findings)).toEqual([right]);
      } finally {
        await apply(role);
      }
    },
    60_000,
  );

  test("with the rights back there is nothing to say, and more than them is told", async () => {
    await eventually(diagnose, (each) => complaints(each).length === 0);
    const binding = ["clusterrolebinding", "loadtest-doctor-excess"];
    await kubectl([
      ...["create", ...binding, "--clusterrole=cluster-admin"],
      `--serviceaccount=${extensionNamespace}:loadtest`,
    ]);
    try {
      const diagnosis = await diagnose();
      expect(complaints(diagnosis)).toEqual([
        `warning: rights in excess of ${extensionNamespace}/loadtest: ClusterRoleBinding loadtest-doctor-excess grants everything`,
      ]);
      expect(diagnosis.code).toBe(0);
    } finally {
      await kubectl(["delete", ...binding]);
    }
  }, 90_000);

  interface Breakage {
    what: string;
    breakIt: () => Promise<unknown>;
    mendIt: () => Promise<unknown>;
    said: string;
    code: number;
  }
  const patch = (what: string[], body: object) =>
    kubectl(["patch", ...what, "--type=merge", "-p", JSON.stringify(body)]);
  const label = (value: string | null) =>
    patch(["namespace", extensionNamespace], { metadata: { labels: { "pod-security.kubernetes.io/enforce": value } } });
  const jsonPatch = (what: string[], ...operations: object[]) =>
    kubectl(["patch", ...what, "--type=json", "-p", JSON.stringify(operations)]);
  const validating = ["validatingwebhookconfiguration", "kuar-validator"];
  const crd = ["crd", "loadtests.beta.kuar.com"];
  const field = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/extra";
  const own = roles.find(({ kind }) => kind === "Role") as Role & KubeObject;
  const withoutNamesOfSecrets = ({ resourceNames, ...rule }: Role["rules"][number]) =>
    rule.resources.includes("secrets") ? rule : { ...rule, resourceNames };
  const breakages: Breakage[] = [
    {
      what: "the namespace without its Pod Security level",
      breakIt: () => label(null),
      mendIt: () => label("restricted"),
      said: `warning: Pod Security of ${extensionNamespace}: no level is enforced: Pods with more power than the controller's may run here`,
      code: 0,
    },
    {
      what: "a validator that fails open",
      breakIt: () => jsonPatch(validating, { op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore" }),
      mendIt: () => jsonPatch(validating, { op: "replace", path: "/webhooks/0/failurePolicy", value: "Fail" }),
      said: "warning: webhook kuar-validator: failurePolicy is Ignore: without an answer everything is stored that the kinds' own rules allow",
      code: 0,
    },
    {
      what: "a validator that looks away",
      breakIt: () =>
        jsonPatch(validating, {
          op: "replace",
          path: "/webhooks/0/namespaceSelector",
          value: { matchLabels: { judged: "yes" } },
        }),
      mendIt: () => jsonPatch(validating, { op: "replace", path: "/webhooks/0/namespaceSelector", value: {} }),
      said: 'warning: webhook kuar-validator: it asks about some objects only, those of {"matchLabels":{"judged":"yes"}}',
      code: 1,
    },
    {
      what: "a kind with another schema",
      breakIt: () => jsonPatch(crd, { op: "add", path: field, value: { type: "string" } }),
      mendIt: () => jsonPatch(crd, { op: "remove", path: field }),
      said: "warning: kind loadtests.beta.kuar.com: another than this binary's: spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.extra differs",
      code: 0,
    },
    {
      what: "a policy that allows another image than the controller starts",
      breakIt: () => apply(podPolicy("example.com/other:1")),
      mendIt: () => apply(podPolicy("localhost/loadtest:dev")),
      said: "failure: policy on worker Pods: it allows the image example.com/other:1, and the controller starts localhost/loadtest:dev: no worker can be made",
      code: 1,
    },
    {
      what: "a rule that has lost its names",
      breakIt: () => apply({ ...own, rules: own.rules.map(withoutNamesOfSecrets) }),
      mendIt: () => apply(own),
      said: `warning: rights in excess of ${extensionNamespace}/loadtest: RoleBinding loadtest grants get secrets, list secrets, watch secrets, update secrets`,
      code: 0,
    },
    {
      what: "a Role that is missing",
      breakIt: () => kubectl(["delete", "rolebinding", "loadtest", "-n", extensionNamespace]),
      mendIt: () => apply(...objectsIn("controller").filter(({ kind }) => kind === "RoleBinding")),
      said: `failure: parts in ${extensionNamespace}: missing: RoleBinding ${extensionNamespace}/loadtest`,
      code: 1,
    },
  ];
  test.each(breakages.map((each) => [each.what, each] as const))(
    "%s is named",
    async (_, { breakIt, mendIt, said, code }) => {
      await breakIt();
      try {
        const diagnosis = await eventually(diagnose, (each) => complaints(each).includes(said), 20_000);
        expect(diagnosis.code).toBe(code);
        for (const { level, remedy } of diagnosis.findings) expect(remedy !== undefined).toBe(level !== "ok");
      } finally {
        await mendIt();
      }
    },
    60_000,
  );

  test("a namespace that would take no worker is named with the API server's reason", async () => {
    const quota = { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "none", namespace } };
    const spec = { service: "nobody", scheme: "http", requestsPerSecond: 1, duration: "1s", state: "Stopped" };
    await apply({ ...quota, spec: { hard: { pods: "0" } } });
    await apply({ apiVersion: "beta.kuar.com/v1", kind: "LoadTest", metadata: { name: "kept-out", namespace }, spec });
    const said = (diagnosis: Diagnosis) => complaints(diagnosis).join("\n");
    const diagnosis = await eventually(diagnose, (each) => said(each).includes("exceeded quota: none"));
    expect(said(diagnosis)).toContain(`failure: dry run of worker Pods: in ${namespace}: `);
    expect(said(diagnosis)).toContain(`warning: quotas: little or nothing left of ${namespace}/none: pods 0 of 0`);
    await kubectl(["delete", "resourcequota/none", "lt/kept-out", "-n", namespace]);
  }, 90_000);

  test("who may look at little is told so, and is told the rest", async () => {
    const { code, findings } = await diagnose("--as", `system:serviceaccount:${namespace}:stranger`);
    const own = findings.find(({ subject }) => subject === "your rights");
    expect(own?.message).toContain("you may not list nodes, ");
    expect(complaints({ code, findings })).toContain(
      "warning: Pod Security of loadtest-system: not known: you may not get namespaces",
    );
    expect(findings.filter(({ level }) => level === "failure")).toEqual([]);
  }, 60_000);

  test("without a controller everything that is down is named", async () => {
    await scale(0);
    try {
      const diagnosis = await diagnose();
      const subjects = diagnosis.findings.filter(({ level }) => level === "failure").map(({ subject }) => subject);
      expect(subjects).toEqual([
        `Deployment ${extensionNamespace}/loadtest`,
        `Pods of the controller in ${extensionNamespace}`,
        `Service ${extensionNamespace}/loadtest`,
        `Lease ${extensionNamespace}/loadtest-controller`,
        "dry run of a good LoadTest",
        "dry run of a bad Canary",
      ]);
      expect(diagnosis.code).toBe(1);
    } finally {
      await scale(2);
    }
  }, 120_000);

  test("the controller of one namespace is known as that, and judged by what it needs", async () => {
    await removeWebhooks();
    await kubectl(["delete", "-f", manifestFile("controller")]);
    await kubectl(["apply", "-n", namespace, "-f", manifestFile("controller-namespaced")]);
    await kubectl(["rollout", "status", "deployment/loadtest", "-n", namespace, "--timeout=90s"]);
    const diagnosis = await eventually(diagnose, (each) => complaints(each).length === 0);
    expect(diagnosis.findings).toContainEqual({
      subject: "installation",
      level: "ok",
      message: `in namespace ${namespace}, for it alone`,
    });
    expect(JSON.stringify(diagnosis.findings)).not.toContain(extensionNamespace);
    expect(diagnosis.code).toBe(0);
    const rules = [{ apiGroups: ["beta.kuar.com"], resources: ["*"], verbs: ["*"] }];
    await apply({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: { name: "tests", namespace },
      rules,
    });
    for (const role of ["--clusterrole=admin", "--role=tests"]) {
      const name = role.replace(/.*=/, "admin-");
      await kubectl(["create", "rolebinding", name, "-n", namespace, role, `--serviceaccount=${namespace}:stranger`]);
    }
    const asAdmin = ["-n", namespace, "--as", `system:serviceaccount:${namespace}:stranger`];
    const narrow = await eventually(
      () => diagnose(...asAdmin),
      (each) => each.findings.some(({ subject, level }) => subject.startsWith("Lease") && level !== "failure"),
    );
    const levels = new Map(narrow.findings.map(({ subject, level }) => [subject, level]));
    expect(levels.get(`rights of ${namespace}/loadtest`)).toBe("ok");
    expect(levels.get("dry run of a good LoadTest")).toBe("ok");
    expect(levels.get("nodes")).toBe("warning");
    expect(narrow.code).toBe(0);
  }, 150_000);
});
