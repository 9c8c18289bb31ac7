// Installing as a user does, with the compiled binary on the real cluster: it becomes ready, does nothing the second time,
// says what stands in the way, and leaves nothing behind.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import type { ObjectMeta } from "../../lib/plan/objects.ts";
import { binary, loadtest, type Outcome } from "../binary/process.ts";
import { extensionNamespace } from "./extension.ts";
import { eventually, kubeconfig, kubectl, kubectlJson, spawnKubectl, tryKubectl } from "./kubectl.ts";

const image = "localhost/loadtest:dev";
const namespace = "install-test";
const tenancy = "install-tenant";
const folder = mkdtempSync(join(tmpdir(), "install-"));

interface Listed {
  items: { apiVersion: string; kind: string; metadata: ObjectMeta }[];
}
interface Summary {
  installed: boolean;
  error?: string;
  objects: { kind: string; name: string; outcome: string; reason?: string }[];
}

const withCluster = ["--kubeconfig", kubeconfig];
const install = (...args: string[]) => loadtest(["install", "--image", image, ...withCluster, ...args]);
const uninstall = (...args: string[]) => loadtest(["uninstall", ...withCluster, ...args]);
const summaryOf = ({ out }: Outcome) => JSON.parse(out) as Summary;
const outcomes = (summary: Summary) => [...new Set(summary.objects.map(({ outcome }) => outcome))].toSorted();
const loadTest = (name: string, spec: object = {}) =>
  JSON.stringify({
    apiVersion: "beta.kuar.com/v1",
    kind: "LoadTest",
    metadata: { name, namespace },
    spec: { service: "target", scheme: "http", port: 8080, requestsPerSecond: 20, workers: 2, ...spec },
  });

const workers = () => kubectlJson<Listed>(["get", "pods", "-n", namespace, "-l", "app.kubernetes.io/component=worker"]);

/** Everything that the API server lists and that tells of the extension; of what expires by itself nothing is told. */
async function traces(): Promise<string[]> {
  const names = (await kubectl(["api-resources", "--verbs=list", "-o", "name"])).trim().split("\n");
  const listed = names.filter((name) => !/^(events|certificatesigningrequests)/.test(name));
  const { items } = await kubectlJson<Listed>(["get", listed.join(), "-A"]);
  return items
    .filter((object) => /loadtest|kuar/.test(JSON.stringify([object.apiVersion, object.kind, object.metadata])))
    .map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
}

const policies = ["loadtest-worker-pods", "loadtest-worker-pod-deletions", "loadtest-worker-services"];

/** resourceVersions of what install has applied; the Lease is renewed all the time. */
async function versions(): Promise<Record<string, string | undefined>> {
  const cluster = [
    "crd/loadtests.beta.kuar.com",
    "crd/canaries.beta.kuar.com",
    "crd/loadtestresults.beta.kuar.com",
    "clusterrole/loadtest",
    "clusterrolebinding/loadtest",
    ...policies.flatMap((name) => [`validatingadmissionpolicy/${name}`, `validatingadmissionpolicybinding/${name}`]),
    "validatingwebhookconfiguration/kuar-validator",
    "mutatingwebhookconfiguration/kuar-defaulter",
    `namespace/${extensionNamespace}`,
  ];
  const inside = ["serviceaccount", "role", "rolebinding", "service", "deployment"].map((kind) => `${kind}/loadtest`);
  const secrets = ["secret/loadtest-webhook-tls", "secret/loadtest-webhook-ca"];
  const lists = await Promise.all([
    kubectlJson<Listed>(["get", ...cluster]),
    kubectlJson<Listed>(["get", "-n", extensionNamespace, ...inside, ...secrets]),
  ]);
  const all = lists.flatMap(({ items }) => items);
  return Object.fromEntries(all.map(({ kind, metadata }) => [`${kind} ${metadata.name}`, metadata.resourceVersion]));
}

afterAll(() => rmSync(folder, { recursive: true }));

describe("what needs no cluster", () => {
  test("without an image it is called wrongly; --print writes YAML and says nothing else", async () => {
    const nowhere = await loadtest(["install", "--print"]);
    expect([nowhere.code, nowhere.err]).toEqual([
      2,
      "error: Cannot install: --image is missing, must be an image of this program that the cluster can pull\n",
    ]);
    const { code, out, err } = await loadtest(["install", "--image", "a/b:1", "--print"]);
    expect([code, err, out.split("---\n").length]).toEqual([0, "", 22]);
    expect(out).toStartWith("apiVersion: v1\nkind: Namespace\n");
  });

  test("--kustomize writes a base, the same as --print", async () => {
    const base = join(folder, "base");
    expect((await loadtest(["install", "--image", "a/b:1", "--kustomize", base])).code).toBe(0);
    const { resources } = parse(readFileSync(join(base, "kustomization.yaml"), "utf8")) as { resources: string[] };
    expect(readdirSync(base).toSorted()).toEqual(["kustomization.yaml", ...resources].toSorted());
    const { out } = await loadtest(["install", "--image", "a/b:1", "--print"]);
    expect(resources.map((name) => readFileSync(join(base, name), "utf8")).join("---\n")).toBe(out);
  });

  test("what excludes each other is refused", async () => {
    for (const args of [
      ["--namespaced", "x", "--out-of-cluster", "https://x"],
      ["--print", "--dry-run"],
      ["--replicas", "1", "--out-of-cluster", "https://x"],
      ["--out-of-cluster", "http://x"],
      ["--image", "a'b"],
    ]) {
      const { code } = await loadtest(["install", "--image", image, "--kubeconfig", "/nonexistent", ...args]);
      expect([args, code]).toEqual([args, 2]);
    }
  });
});

describe.skipIf(kubeconfig === "")("install and uninstall", () => {
  beforeAll(async () => {
    expect(await traces()).toEqual([]);
    await kubectl(["create", "namespace", namespace]);
    const run = ["run", "target", "-n", namespace, `--image=${image}`, "--port=8080", "--expose"];
    await kubectl([...run, "--", "target", "--host", "0.0.0.0"]);
  }, 60_000);

  afterAll(async () => {
    await uninstall("--yes");
    await kubectl(["delete", "namespace", namespace]);
  }, 180_000);

  test("a dry run says what would be created, what cannot be told yet, and changes nothing", async () => {
    const summary = summaryOf(await install("--dry-run", "-o", "json"));
    expect(outcomes(summary)).toEqual(["created", "untried"]);
    expect(summary.objects.find(({ kind }) => kind === "Deployment")).toMatchObject({
      outcome: "untried",
      reason: "its namespace loadtest-system is not there yet",
    });
    expect(await traces()).toEqual([]);
  }, 60_000);

  test("after it everything works: what is not well-formed is refused, the rest filled in and run", async () => {
    const { code, err, out } = await install();
    expect([code, err]).toEqual([0, expect.stringContaining("Installed in")]);
    for (const step of ["namespace", "kinds", "rights", "belongings", "controller", "webhooks", "probe", "closing"]) {
      expect(err).toMatch(new RegExp(`^${step} `, "m"));
    }
    expect(out.trim().split("\n")).toHaveLength(22);
    const bad = await tryKubectl(["apply", "-f", "-"], loadTest("bad", { scheme: "ftp" }));
    expect(bad.code).not.toBe(0);
    await kubectl(["apply", "-f", "-"], loadTest("here"));
    expect(await kubectl(["get", "lt", "here", "-n", namespace, "-o", "jsonpath={.spec.paths}"])).toBe(
      '["/index.html"]',
    );
    await eventually(
      () => kubectl(["get", "lt", "here", "-n", namespace, "-o", "jsonpath={.status.phase}"]),
      (phase) => phase === "Running",
    );
  }, 120_000);

  test("the second time nothing changes, and each object is said to be unchanged", async () => {
    const before = await versions();
    const summary = summaryOf(await install("-o", "json"));
    expect([summary.installed, outcomes(summary), summary.objects.length]).toEqual([true, ["unchanged"], 22]);
    expect(await versions()).toEqual(before);
  }, 120_000);

  test("webhooks that fail closed stay closed while it is done again, and with another number of replicas", async () => {
    const policy = ["get", "validatingwebhookconfiguration", "kuar-validator", "-o"];
    const watch = spawnKubectl([...policy, "jsonpath={.webhooks[0].failurePolicy} ", "--watch"]);
    const summary = summaryOf(await install("--replicas", "1", "-o", "json"));
    watch.kill();
    expect(summary.objects.filter(({ outcome }) => outcome !== "unchanged").map(({ kind }) => kind)).toEqual([
      "Deployment",
    ]);
    expect((await watch.stdout.text()).trim().split(" ")).toEqual(["Fail"]);
  }, 120_000);

  test("an image that cannot be pulled is named in time, and whoever runs goes on meanwhile", async () => {
    const { code, err } = await loadtest([
      ...["install", "--image", "localhost/loadtest:none", "--replicas", "1", "--timeout", "6s"],
      ...withCluster,
    ]);
    expect(code).toBe(1);
    expect(err).toMatch(
      /^error: Cannot install the controller: after 6s .*Pod "loadtest-.*": .*"localhost\/loadtest:none"/m,
    );
    const policy = await kubectl(["get", "validatingadmissionpolicy", "loadtest-worker-pods", "-o", "json"]);
    expect(policy).toContain("c.image in ['localhost/loadtest:none', 'localhost/loadtest:dev']");
    await kubectl(["apply", "-f", "-"], loadTest("meanwhile", { workers: 1 }));
    await eventually(
      () => kubectl(["get", "lt", "meanwhile", "-n", namespace, "-o", "jsonpath={.status.phase}"]),
      (phase) => phase === "Running",
    );
    expect((await install("--replicas", "1")).code).toBe(0);
    const after = await kubectl(["get", "validatingadmissionpolicy", "loadtest-worker-pods", "-o", "json"]);
    expect(after).toContain("c.image == 'localhost/loadtest:dev'");
  }, 180_000);

  test("fields of others are named with who set them, and nothing is changed until they may be taken", async () => {
    await kubectl(["scale", "deployment/loadtest", "-n", extensionNamespace, "--replicas=2"]);
    const before = await versions();
    const { code, err } = await install("--replicas", "1");
    expect(code).toBe(1);
    expect(err).toContain("Deployment loadtest-system/loadtest has fields of others (--force-conflicts takes them)");
    expect(err).toContain('.spec.replicas is set by "kubectl" with subresource "scale"');
    const { "Deployment loadtest": _, ...rest } = await versions(); // its status is the kubelet's
    expect(before).toMatchObject(rest);
    const summary = summaryOf(await install("--replicas", "1", "--force-conflicts", "-o", "json"));
    expect([summary.installed, outcomes(summary)]).toEqual([true, ["changed", "unchanged"]]);
  }, 180_000);

  test("a kind that would lose a field or tighten a bound is refused, field by field", async () => {
    const spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
    const patch = [
      { op: "add", path: `${spec}/novelty`, value: { type: "string", maxLength: 5 } },
      { op: "replace", path: `${spec}/connections/maximum`, value: 1_000_000 },
    ];
    const kind = ["patch", "crd", "loadtests.beta.kuar.com", "--type=json", "-p", JSON.stringify(patch)];
    await kubectl([...kind, "--field-manager=loadtest-install"]);
    const { code, err } = await install("--replicas", "1", "--force-conflicts");
    expect(code).toBe(1);
    expect(err).toContain("CustomResourceDefinition loadtests.beta.kuar.com would break objects or clients");
    expect(err).toContain("v1: spec.novelty is removed");
    expect(err).toMatch(/v1: spec\.connections maximum changes from 1000000 to \d+/);
    const breaking = ["--force-conflicts", "--accept-breaking-kinds"];
    const summary = summaryOf(await install("--replicas", "1", ...breaking, "-o", "json"));
    expect(summary.objects.filter(({ outcome }) => outcome === "changed").map(({ name }) => name)).toEqual([
      "loadtests.beta.kuar.com",
    ]);
  }, 180_000);

  test("without a terminal and without --yes it is not uninstalled, but what would go is said", async () => {
    const { code, err } = await uninstall();
    expect(code).toBe(2);
    expect(err).toContain(`  2 LoadTests: 2 in ${namespace}\n`);
    expect(err).toMatch(new RegExp(`^ {2}3 worker Pods with the load that they make: 3 in ${namespace}$`, "m"));
    expect(err).toContain("error: Cannot ask whether to delete this: there is no terminal, must be told by --yes");
    expect((await kubectl(["get", "lt", "-n", namespace, "-o", "name"])).trim().split("\n")).toHaveLength(2);
  }, 60_000);

  test("with --keep-kinds LoadTests stay, and no load without a controller", async () => {
    expect((await uninstall("--yes", "--keep-kinds")).code).toBe(0);
    expect((await kubectl(["get", "lt", "-n", namespace, "-o", "name"])).trim().split("\n")).toHaveLength(2);
    expect((await workers()).items).toEqual([]);
    expect(await tryKubectl(["get", "namespace", extensionNamespace])).toMatchObject({ code: 1 });
  }, 180_000);

  test("what kubectl has applied from --print is waited for, and taken on as it is; load goes on", async () => {
    const { out } = await loadtest(["install", "--image", image, "--print"]);
    await kubectl(["apply", "--server-side", "-f", "-"], out);
    const summary = summaryOf(await install("-o", "json"));
    expect([summary.error, summary.installed, outcomes(summary)]).toEqual([undefined, true, ["unchanged"]]);
    await eventually(workers, ({ items }) => items.length === 3);
  }, 180_000);

  test("what a finalizer holds is named when the time is over; once it is released nothing is left", async () => {
    const hold = (finalizers: string[]) => JSON.stringify({ metadata: { finalizers } });
    const patch = ["patch", "lt", "here", "-n", namespace, "--type=merge", "-p"];
    await kubectl([...patch, hold(["example.com/hold"])]);
    const { code, err } = await uninstall("--yes", "--timeout", "4s");
    expect(code).toBe(1);
    expect(err).toMatch(
      /Cannot remove the LoadTests: after 4s LoadTest install-test\/here \(being deleted since .*, held by the finalizer example\.com\/hold\) remains/,
    );
    await kubectl([...patch, hold([])]);
    expect((await uninstall("--yes")).code).toBe(0);
    expect(await traces()).toEqual([]);
    const again = await uninstall("--yes");
    expect([again.code, again.err]).toEqual([0, expect.stringContaining("There is nothing to uninstall")]);
  }, 180_000);
});

describe.skipIf(kubeconfig === "")("install for a controller elsewhere", () => {
  const url = "https://127.0.0.1:18443";
  let stop = async () => {};

  afterAll(async () => {
    await stop();
    await uninstall("--yes");
  }, 120_000);

  test("as long as there is none, it says how one is started, and its webhooks hold up nothing", async () => {
    const { code, err } = await install("--out-of-cluster", url, "--timeout", "2s");
    expect(code).toBe(1);
    expect(err).toContain(`loadtest controller --webhook-url ${url} --worker-image ${image}, with --admission-port`);
    const policies = "jsonpath={.items[*].webhooks[*].failurePolicy}";
    const hooks = "validatingwebhookconfigurations,mutatingwebhookconfigurations";
    expect(await kubectl(["get", hooks, "-o", policies])).toBe("Ignore Ignore");
  }, 60_000);

  test("with one it goes on from there, and fails closed; nothing is left in the end", async () => {
    const options = ["--webhook-url", url, "--admission-port", "18443", "--worker-image", image, "--drain", "0s"];
    const ports = ["--health-port", "0", "--metrics-port", "0"];
    const controller = Bun.spawn([binary, "controller", ...withCluster, ...options, ...ports], { stderr: "ignore" });
    stop = async () => {
      controller.kill("SIGTERM");
      await controller.exited;
    };
    const summary = summaryOf(await install("--out-of-cluster", url, "-o", "json"));
    expect([summary.error, summary.installed]).toEqual([undefined, true]);
    const changed = summary.objects.filter(({ outcome }) => outcome !== "unchanged");
    expect(changed.map(({ name }) => name)).toEqual(["kuar-validator"]);
    expect((await uninstall("--yes")).code).toBe(0);
    expect(await traces()).toEqual([]);
  }, 120_000);
});

describe.skipIf(kubeconfig === "")("install for one namespace", () => {
  const tenant = join(folder, "tenant");

  beforeAll(async () => {
    await kubectl(["create", "namespace", tenancy]);
    await kubectl(["create", "serviceaccount", "tenant", "-n", tenancy]);
    await kubectl([
      ...["create", "rolebinding", "tenant", "-n", tenancy],
      ...["--clusterrole=admin", `--serviceaccount=${tenancy}:tenant`],
    ]);
    const token = (await kubectl(["create", "token", "tenant", "-n", tenancy])).trim();
    const { clusters, contexts, "current-context": current } = parse(readFileSync(kubeconfig, "utf8"));
    const users = [{ name: contexts[0].context.user, user: { token } }];
    writeFileSync(tenant, JSON.stringify({ clusters, contexts, "current-context": current, users }));
  }, 60_000);

  afterAll(async () => {
    await uninstall("--yes", "--namespaced", tenancy);
    await kubectl(["delete", "namespace", tenancy]);
  }, 120_000);

  test("rights that are missing are named all at once, and nothing is begun", async () => {
    const { code, err } = await loadtest(["install", "--image", image, "--kubeconfig", tenant]);
    expect(code).toBe(1);
    expect(err).toMatch(/^error: Cannot install: \d+ rights are missing, must be granted to you:$/m);
    for (const right of [
      'get, patch namespaces "loadtest-system"',
      "create clusterroles.rbac.authorization.k8s.io",
      'get, patch validatingwebhookconfigurations.admissionregistration.k8s.io "kuar-validator"',
      "create loadtests.beta.kuar.com in loadtest-system",
    ]) {
      expect(err).toContain(`  ${right}\n`);
    }
    expect(await traces()).toEqual([]);
  }, 60_000);

  test("a namespace that is not there is not made", async () => {
    const { code, err } = await install("--namespaced", "nowhere");
    expect([code, err]).toEqual([1, expect.stringContaining('Cannot install in namespace "nowhere": there is none')]);
  }, 60_000);

  test("it becomes ready without anything that is the cluster's but the kinds", async () => {
    const { code, err } = await install("--namespaced", tenancy);
    expect([code, err]).toEqual([0, expect.stringContaining("Installed in")]);
    const found = (await traces()).filter((trace) => !trace.includes(`${tenancy}/`));
    expect(found.toSorted()).toEqual([
      "APIService /v1.beta.kuar.com",
      "CustomResourceDefinition /canaries.beta.kuar.com",
      "CustomResourceDefinition /loadtestresults.beta.kuar.com",
      "CustomResourceDefinition /loadtests.beta.kuar.com",
    ]);
    const summary = summaryOf(await install("--namespaced", tenancy, "-o", "json"));
    expect([summary.installed, outcomes(summary)]).toEqual([true, ["unchanged"]]);
  }, 120_000);

  test("whoever has the namespace alone may do it again, and leaves the kinds", async () => {
    const role = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: { name: "tests", namespace: tenancy },
      rules: [
        { apiGroups: ["beta.kuar.com"], resources: ["*"], verbs: ["*"] },
        { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create"] },
      ],
    };
    await kubectl(["create", "-f", "-"], JSON.stringify(role));
    await kubectl([
      ...["create", "rolebinding", "tests", "-n", tenancy, "--role=tests"],
      `--serviceaccount=${tenancy}:tenant`,
    ]);
    const again = ["install", "--image", image, "--namespaced", tenancy, "--kubeconfig", tenant];
    const { code, err } = await loadtest(again);
    expect([code, err]).toEqual([
      0,
      expect.stringContaining("the kinds are there, and stay as they are: you may not see them"),
    ]);
    const removal = await loadtest(["uninstall", "--namespaced", tenancy, "--yes", "--kubeconfig", tenant]);
    expect([removal.code, removal.err]).toEqual([
      0,
      expect.stringContaining("The kinds are left, you may not see whether others need them"),
    ]);
    expect((await loadtest([...again, "--dry-run"])).code).toBe(0);
  }, 120_000);

  test("the kinds stay as long as there is a Canary elsewhere, and go with the last controller otherwise", async () => {
    const { code, err } = await install("--namespaced", tenancy);
    expect([code, err]).toEqual([0, expect.stringContaining("Installed in")]);
    const canary = {
      apiVersion: "beta.kuar.com/v1",
      kind: "Canary",
      metadata: { name: "elsewhere", namespace: "default" },
      spec: { backends: [{ service: "a", percent: 100 }] },
    };
    await kubectl(["apply", "-f", "-"], JSON.stringify(canary));
    const first = await uninstall("--yes", "--namespaced", tenancy);
    expect([first.code, first.err]).toEqual([
      0,
      expect.stringContaining("The kinds are left, there is Canary default/elsewhere"),
    ]);
    await kubectl(["delete", "canary", "elsewhere", "-n", "default"]);
    expect((await uninstall("--yes", "--namespaced", tenancy)).code).toBe(0);
    expect(await traces()).toEqual([]);
  }, 120_000);
});
