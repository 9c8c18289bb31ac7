// Two clusters with the controller in them, on control planes without nodes: what `diff` says of Deployments, images,
// certificates, stored versions and network policies, and what it is silent about.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Drift, FleetDiff } from "../../lib/fleet/diff.ts";
import { binary, loadtest } from "../binary/process.ts";
import { newKeys, sampleAuthority, sampleLeaf } from "../pki/samples.ts";
import { type ControlPlane, missingControlPlane, startControlPlane, writeMergedKubeconfig } from "./control-plane.ts";

const reason = existsSync(binary) ? missingControlPlane : `"${binary}" is missing, must be built first (scripts/build)`;
if (reason !== undefined) console.warn(`skipped: ${reason}`);

const dayMs = 24 * 3600e3;
const system = ["-n", "loadtest-system"];
const deployment = "Deployment loadtest-system/loadtest";
const container = "spec.template.spec.containers[controller]";

describe.skipIf(reason !== undefined)("two clusters with controllers", () => {
  const folder = mkdtempSync(join(tmpdir(), "diff-"));
  const kubeconfig = join(folder, "kubeconfig");
  const planes: ControlPlane[] = [];
  const plane = (name: "one" | "two") => planes[name === "one" ? 0 : 1] as ControlPlane;

  beforeAll(async () => {
    const older = { emulatedVersion: "1.31" }; // what it leaves out or fills in differently is no difference
    planes.push(...(await Promise.all([startControlPlane("one"), startControlPlane("two", older)])));
    await writeMergedKubeconfig(kubeconfig, planes);
    const { out } = await loadtest(["install", "--image", "registry.example/loadtest:1", "--print"]);
    for (const each of planes) {
      await each.kubectl(["apply", "--server-side", "--field-manager=loadtest-install", "-f", "-"], out);
      await certify(each, await makeChain());
    }
  }, 120_000);

  afterAll(async () => {
    await Promise.all(planes.map((each) => each.stop()));
    rmSync(folder, { recursive: true });
  }, 60_000);

  async function diff(...args: string[]): Promise<{ code: number; found: FleetDiff }> {
    const flags = ["--kubeconfig", kubeconfig, "--contexts", "one,two", "--output", "json"];
    const { code, out, err } = await loadtest(["diff", ...flags, ...args]);
    if (out === "") throw new Error(err);
    return { code, found: JSON.parse(out) };
  }

  const places = (differences: readonly Drift[]) =>
    differences.map(({ object, field }) => `${object} | ${field}`).toSorted();

  async function patch(name: "one" | "two", target: string, value: object, ...more: string[]): Promise<void> {
    await plane(name).kubectl([
      "patch",
      ...target.split(" "),
      "--type=strategic",
      "-p",
      JSON.stringify(value),
      ...more,
    ]);
  }

  const patchController = (spec: object) =>
    patch(
      "two",
      "deployment loadtest",
      { spec: { template: { spec: { containers: [{ name: "controller", ...spec }] } } } },
      ...system,
    );

  test("are the same, though each has an authority of its own and tools have left their marks", async () => {
    await patch(
      "two",
      "deployment loadtest",
      { metadata: { labels: { tool: "x" }, annotations: { "tool/tracking": "x" } } },
      ...system,
    );
    const restarted = { "kubectl.kubernetes.io/restartedAt": "2030-01-01T00:00:00Z" };
    await patch(
      "two",
      "deployment loadtest",
      { spec: { template: { metadata: { annotations: restarted } } } },
      ...system,
    );
    await plane("two").kubectl(["annotate", "crd", "loadtests.beta.kuar.com", "tool/tracking=x"]);
    const { code, found } = await diff();
    expect([code, found.differences]).toEqual([0, []]);
    const authorities = found.clusters.map(({ certificates = [] }) => certificates[0]?.fingerprint);
    expect(new Set(authorities).size).toBe(2);
    expect(found.clusters[0]?.installation).toEqual({
      placement: "in the cluster",
      image: "registry.example/loadtest:1",
      replicas: 2,
    });
  }, 60_000);

  test("differ from each other in image and replicas, and from what is told of them", async () => {
    await patch("two", "deployment loadtest", { spec: { replicas: 3 } }, ...system);
    const extension = { context: "two", object: "the extension" };
    expect((await diff()).found.differences).toEqual([
      { ...extension, field: "replicas", found: 3, wanted: 2, as: "one" },
    ]);
    expect((await diff("--replicas", "3")).found.differences).toEqual([
      { context: "one", object: deployment, field: "spec.replicas", found: 2, wanted: 3 },
    ]);
    const { found } = await diff("--replicas", "3", "--image", "registry.example/loadtest:2");
    const inImage = places(found.differences.filter(({ context }) => context === "two"));
    expect(inImage).toContain(`${deployment} | ${container}.image`);
    expect(inImage).toContain(`${deployment} | ${container}.env[LOADTEST_IMAGE].value`);
    await patch("two", "deployment loadtest", { spec: { replicas: 2 } }, ...system);
  }, 60_000);

  test("differ in the digest that a tag means on each", async () => {
    await runPod("one", "aa");
    await runPod("two", "bb");
    expect((await diff()).found.differences).toEqual([
      {
        context: "two",
        object: "the extension",
        field: "image digest",
        found: "sha256:bb",
        wanted: "sha256:aa",
        as: "one",
      },
    ]);
    await plane("two").kubectl(["delete", "pod", "controller", "--force", ...system]);
    expect((await diff()).found.differences).toEqual([]); // what is not known, is no difference
  }, 60_000);

  test("differ in network policies that only one of them has, or that are not as they are written", async () => {
    const policies = ["apply", ...system, "-f", join(import.meta.dir, "../../manifests/network-policy.yaml")];
    await plane("one").kubectl(policies);
    const policy = "NetworkPolicy loadtest-system/loadtest";
    expect(places((await diff()).found.differences)).toEqual([`${policy} | `, `${policy}-workers | `]);
    await plane("two").kubectl(policies);
    expect((await diff()).found.differences).toEqual([]);
    await patch("two", "networkpolicy loadtest", { spec: { egress: [{}] } }, ...system);
    expect(places((await diff()).found.differences)).toEqual([`${policy} | spec.egress`]);
    await plane("two").kubectl(policies);
  }, 60_000);

  test("differ in what the controller runs, and how", async () => {
    await patchController({
      args: ["controller", "--leader-elect", "--max-rate", "1"],
      env: [{ name: "EXTRA", value: "x" }],
      resources: { limits: { memory: "1Gi" } },
      readinessProbe: { periodSeconds: 30 },
      securityContext: { readOnlyRootFilesystem: false },
      imagePullPolicy: "Always",
    });
    const pod = {
      automountServiceAccountToken: true,
      containers: [{ name: "sidecar", image: "sidecar" }],
      serviceAccountName: "default",
    };
    await patch("two", "deployment loadtest", { spec: { template: { spec: pod } } }, ...system);
    const { code, found } = await diff();
    expect(code).toBe(1);
    expect(places(found.differences)).toEqual(
      [
        `${container}.args`,
        `${container}.env[EXTRA]`,
        `${container}.imagePullPolicy`,
        `${container}.readinessProbe.periodSeconds`,
        `${container}.resources.limits.memory`,
        `${container}.securityContext.readOnlyRootFilesystem`,
        "spec.template.spec.automountServiceAccountToken",
        "spec.template.spec.containers[sidecar]",
        "spec.template.spec.serviceAccount",
        "spec.template.spec.serviceAccountName",
      ]
        .map((field) => `${deployment} | ${field}`)
        .toSorted(),
    );
    await plane("two").kubectl(["delete", "deployment", "loadtest", ...system]);
    expect(places((await diff()).found.differences)).toEqual([`${deployment} | `]);
  }, 60_000);

  test("differ in what their webhooks trust only where that is not what is served", async () => {
    const field = "ValidatingWebhookConfiguration kuar-validator | webhooks[validator.kuar.com].clientConfig.caBundle";
    const trust = async (bundle: string) => {
      const value = [{ op: "replace", path: "/webhooks/0/clientConfig/caBundle", value: btoa(bundle) }];
      await plane("one").kubectl([
        "patch",
        "validatingwebhookconfiguration",
        "kuar-validator",
        "--type=json",
        "-p",
        JSON.stringify(value),
      ]);
      return (await diff()).found.differences.filter(({ context }) => context === "one");
    };
    const other = await trust((await makeChain()).authority);
    expect([places(other), other[0]?.found]).toEqual([
      [field],
      expect.stringContaining("leads to no certificate of the bundle"),
    ]);
    const own = chains.get(plane("one")) as Chain;
    const ended = await trust(own.authority + (await makeChain(-1)).authority);
    expect([places(ended), ended[0]?.found]).toEqual([[field], expect.stringContaining("which has ended")]);
    expect(await trust((await makeChain()).authority + own.authority)).toEqual([]); // as during a rotation
  }, 60_000);

  test("differ in the versions in which objects may be stored", async () => {
    const crd = "crd/canaries.beta.kuar.com";
    const versions = JSON.parse(await plane("two").kubectl(["get", crd, "-o", "jsonpath={.spec.versions[0]}"]));
    const add = [{ op: "add", path: "/spec/versions/-", value: { ...versions, name: "v0", storage: false } }];
    await plane("two").kubectl(["patch", crd, "--type=json", "-p", JSON.stringify(add)]);
    const stored = { status: { storedVersions: ["v0", "v1"] } };
    await plane("two").kubectl(["patch", crd, "--subresource=status", "--type=merge", "-p", JSON.stringify(stored)]);
    const canaries = (await diff()).found.differences.filter(({ object }) => object.includes("canaries"));
    expect(places(canaries)).toEqual([
      "CustomResourceDefinition canaries.beta.kuar.com | spec.versions[v0]",
      "CustomResourceDefinition canaries.beta.kuar.com | status.storedVersions",
    ]);
  }, 60_000);

  test("are never called the same by somebody who may not look at all of it", async () => {
    const { code, out } = await loadtest([
      "diff",
      "--kubeconfig",
      await powerless(),
      "--contexts",
      "one",
      "--output",
      "json",
    ]);
    expect([code, JSON.parse(out)]).toEqual([
      2,
      expect.objectContaining({
        same: null,
        clusters: [expect.objectContaining({ state: "unknown", error: expect.stringContaining("forbidden") })],
      }),
    ]);
  }, 60_000);

  /** A kubeconfig of somebody without rights on cluster one. */
  async function powerless(): Promise<string> {
    const one = plane("one");
    const token = (await one.kubectl(["create", "token", "default", "-n", "default"])).trim();
    const config = await Bun.file(one.kubeconfig).json();
    const file = join(folder, "powerless");
    await Bun.write(file, JSON.stringify({ ...config, users: [{ name: one.contextName, user: { token } }] }));
    return file;
  }

  /** A Pod as the Deployment's, of which a kubelet has said what it runs. */
  async function runPod(name: "one" | "two", digest: string): Promise<void> {
    const text = await plane(name).kubectl(["get", "deployment", "loadtest", "-o", "json", ...system]);
    const { template } = JSON.parse(text).spec;
    const metadata = { name: "controller", namespace: "loadtest-system", labels: template.metadata.labels };
    const pod = { apiVersion: "v1", kind: "Pod", metadata, spec: template.spec };
    await plane(name).kubectl(["create", "-f", "-"], JSON.stringify(pod));
    const imageID = `registry.example/loadtest@sha256:${digest}`;
    const state = { name: "controller", image: "x", imageID, ready: true, restartCount: 0 };
    const status = JSON.stringify({ status: { containerStatuses: [state] } });
    await plane(name).kubectl([
      "patch",
      "pod",
      "controller",
      "--subresource=status",
      "--type=merge",
      "-p",
      status,
      ...system,
    ]);
  }
});

interface Chain {
  authority: string;
  leaf: string;
}

const chains = new Map<ControlPlane, Chain>();

/** An authority, good until so many days from now, with a certificate for the Service. */
async function makeChain(days = 30): Promise<Chain> {
  const nowMs = Date.now();
  const life = { notBeforeMs: nowMs - 60 * dayMs, notAfterMs: nowMs + days * dayMs };
  const authority = await sampleAuthority({
    keys: await newKeys(),
    permittedDnsNames: ["loadtest.loadtest-system.svc"],
    ...life,
  });
  const names = { dnsNames: ["loadtest.loadtest-system.svc"], ipAddresses: [] };
  return { authority: authority.certificatePem, leaf: await sampleLeaf(authority, { ...names, ...life }) };
}

/** As if a controller had done it. */
async function certify(plane: ControlPlane, chain: Chain): Promise<void> {
  chains.set(plane, chain);
  const data = JSON.stringify({ data: { "tls.crt": btoa(chain.leaf) } });
  await plane.kubectl(["patch", "secret", "loadtest-webhook-tls", "--type=merge", "-p", data, ...system]);
  const bundle = JSON.stringify([
    { op: "add", path: "/webhooks/0/clientConfig/caBundle", value: btoa(chain.authority) },
  ]);
  for (const [kind, name] of [
    ["validating", "validator"],
    ["mutating", "defaulter"],
  ]) {
    await plane.kubectl(["patch", `${kind}webhookconfiguration`, `kuar-${name}`, "--type=json", "-p", bundle]);
  }
}
