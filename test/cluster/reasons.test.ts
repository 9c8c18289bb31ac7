// What keeps a LoadTest from running is said on the object, as condition and as Event, and once mended it goes on by itself.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apiVersion } from "../../lib/loadtest/api-group.ts";
import type { Condition, LoadTestStatus } from "../../lib/loadtest/load-test-status.ts";
import { binary } from "../binary/process.ts";
import { installController, installKinds, removeExtension } from "./extension.ts";
import { eventually, kubeconfig, kubectl, kubectlJson } from "./kubectl.ts";

const namespace = "loadtest-reasons";
const tight = "loadtest-reasons-tight";
const image = "localhost/loadtest:dev";
const basics = { service: "web", scheme: "http", requestsPerSecond: 20, duration: "3s" };

interface EventList {
  items: { type: string; reason: string; note: string; regarding: { kind: string; name: string } }[];
}

const applyIn = (where: string, object: object) => kubectl(["apply", "-n", where, "-f", "-"], JSON.stringify(object));
const apply = (name: string, spec: object, where = namespace) =>
  applyIn(where, { apiVersion, kind: "LoadTest", metadata: { name }, spec });

async function conditionsOf(name: string, where = namespace): Promise<Record<string, Condition>> {
  const { status } = await kubectlJson<{ status?: LoadTestStatus }>(["get", "lt", name, "-n", where]);
  return Object.fromEntries((status?.conditions ?? []).map((condition) => [condition.type, condition]));
}

async function eventsOf(name: string, where = namespace): Promise<string[]> {
  const { items } = await kubectlJson<EventList>(["get", "events.events.k8s.io", "-n", where]);
  return items
    .filter(({ regarding }) => regarding.kind === "LoadTest" && regarding.name === name)
    .map(({ type, reason }) => `${type} ${reason}`);
}

/** Waits until the LoadTest stands still for this reason, with these words, and an Event says so. */
async function standsStill(name: string, reason: string, words: string, where = namespace): Promise<void> {
  const conditions = await eventually(
    () => conditionsOf(name, where),
    ({ WorkersReady, Stalled }) => WorkersReady?.reason === reason && Stalled?.status === "True",
    30_000,
  );
  expect(conditions["WorkersReady"]).toMatchObject({
    status: "False",
    message: expect.stringContaining(words) as never,
  });
  expect(conditions["Stalled"]).toMatchObject({ reason });
  expect(conditions["Reconciling"]).toMatchObject({ status: "False", reason });
  await eventually(
    () => eventsOf(name, where),
    (events) => events.includes(`Warning ${reason}`),
  );
}

const isComplete = (name: string, where = namespace) =>
  kubectl(["wait", "--for=condition=Complete", `lt/${name}`, "-n", where, "--timeout=90s"]);

/** The demo server as a Pod: http, and https with a certificate for another name. */
function targetPod(name: string, port: number, ...args: string[]) {
  const volumes = args.length === 0 ? [] : [{ name: "tls", secret: { secretName: "misnamed" } }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: "target",
          image,
          args: ["target", "--host", "0.0.0.0", "--port", String(port), ...args],
          volumeMounts: volumes.map((volume) => ({ name: volume.name, mountPath: "/tls" })),
        },
      ],
      volumes,
    },
  };
}

function service(name: string, app: string, port: number, targetPort: number) {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { selector: { app }, ports: [{ port, targetPort }] },
  };
}

async function makeCertificate(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "loadtest-test-"));
  const [key, certificate] = [join(folder, "tls.key"), join(folder, "tls.crt")];
  const subject = ["-subj", "/CN=other", "-addext", "subjectAltName=DNS:other.example", "-days", "1", "-nodes"];
  const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", key, "-out", certificate];
  expect(Bun.spawnSync(["openssl", "req", "-x509", ...subject, ...made]).exitCode).toBe(0);
  await kubectl(["create", "secret", "tls", "misnamed", `--cert=${certificate}`, `--key=${key}`, "-n", namespace]);
}

describe.skipIf(kubeconfig === "")("reasons on a real cluster", () => {
  beforeAll(async () => {
    await installKinds();
    for (const one of [namespace, tight]) await kubectl(["create", "namespace", one]);
    await makeCertificate();
    const secure = ["--cert", "/tls/tls.crt", "--key", "/tls/tls.key"];
    for (const object of [
      targetPod("web", 8080),
      targetPod("secure", 8443, ...secure),
      service("web", "web", 80, 8080),
      service("secure", "secure", 443, 8443),
      service("nobody", "nobody", 80, 8080),
    ]) {
      await applyIn(namespace, object);
    }
    await applyIn(tight, service("web", "web", 80, 8080));
    await kubectl(["wait", "--for=condition=Ready", "pod/web", "pod/secure", "-n", namespace, "--timeout=60s"]);
  }, 180_000);

  afterAll(() => removeExtension(namespace, tight), 120_000);

  test("an image that cannot be had", async () => {
    const ports = ["--health-port", "0", "--metrics-port", "0"];
    const flags = ["--kubeconfig", kubeconfig, "--namespace", namespace, ...ports];
    const command = [binary, "controller", "--worker-image", "localhost:1/nonesuch:1", ...flags];
    const controller = Bun.spawn(command, { stderr: "ignore" });
    try {
      await apply("imageless", basics);
      await standsStill("imageless", "ImagePullFailed", "localhost:1/nonesuch:1");
    } finally {
      controller.kill();
      await controller.exited;
      await kubectl(["delete", "lt", "imageless", "-n", namespace]);
    }
  }, 90_000);

  test("a normal run makes a few Events, and ends Stalled by nothing", async () => {
    await installController();
    await apply("normal", { ...basics, workers: 2 });
    await isComplete("normal");
    const events = await eventually(
      () => eventsOf("normal"),
      (found) => found.length >= 4,
    );
    // Whether the generator kept up is this machine's affair.
    expect(
      events.toSorted().filter((event) => event !== "Normal Passed" && event !== "Warning GeneratorSaturated"),
    ).toEqual(["Normal Finished", "Normal Started", "Normal WorkersCreated"]);
    await kubectl(["wait", "--for=condition=Stalled=false", "lt/normal", "-n", namespace, "--timeout=5s"]);
    await kubectl(["wait", "--for=condition=Reconciling=false", "lt/normal", "-n", namespace, "--timeout=5s"]);
  }, 180_000);

  test("a target that refuses, a missing authority and a wrong name, each mended", async () => {
    const tls = (name: string) => ({ tls: { caFrom: { configMapKeyRef: { name, key: "tls.crt" } } } });
    const secure = { ...basics, service: "secure", scheme: "https" };
    const certificate = await kubectl([
      "get",
      "secret",
      "misnamed",
      "-n",
      namespace,
      "-o",
      "jsonpath={.data.tls\\.crt}",
    ]);
    const authority = (name: string) =>
      applyIn(namespace, {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name },
        data: { "tls.crt": Buffer.from(certificate, "base64").toString() },
      });
    await authority("present");
    await apply("refused", { ...basics, service: "nobody", workers: 2 });
    await apply("without-authority", { ...secure, tls: { ...tls("absent").tls, serverName: "other.example" } });
    await apply("misnamed", { ...secure, ...tls("present") });
    await standsStill("refused", "TargetRefused", `nobody.${namespace}.svc`);
    await standsStill("misnamed", "TargetTls", "it is for DNS:other.example");
    await standsStill("without-authority", "VolumeNotMounted", 'configmap "absent" not found');

    await applyIn(namespace, service("nobody", "web", 80, 8080));
    await authority("absent");
    await apply("misnamed", { ...secure, tls: { ...tls("present").tls, serverName: "other.example" } });
    for (const name of ["refused", "without-authority", "misnamed"]) {
      await isComplete(name);
      expect(await conditionsOf(name)).toMatchObject({
        Stalled: { status: "False" },
        Reconciling: { status: "False" },
      });
    }
  }, 240_000);

  test("a quota, a limit and no node that is free, each mended", async () => {
    await kubectl(["create", "quota", "none", "--hard=pods=0", "-n", tight]);
    await eventually(
      () => kubectl(["get", "quota", "none", "-n", tight, "-o", "jsonpath={.status.hard.pods}"]),
      (hard) => hard === "0",
    );
    await apply("pressed", { ...basics, workers: 2 }, tight);
    await standsStill("pressed", "QuotaExceeded", "2 workers: Pod", tight);
    const limits = [{ type: "Container", max: { memory: "1Mi" } }];
    await applyIn(tight, { apiVersion: "v1", kind: "LimitRange", metadata: { name: "tiny" }, spec: { limits } });
    await kubectl(["delete", "quota", "none", "-n", tight]);
    await standsStill("pressed", "PodRefused", "maximum memory usage per Container is 1Mi", tight);

    const node = await kubectl(["get", "nodes", "-o", "jsonpath={.items[0].metadata.name}"]);
    await kubectl(["cordon", node]);
    try {
      await kubectl(["delete", "limitrange", "tiny", "-n", tight]);
      await standsStill("pressed", "Unschedulable", "1 node(s) were unschedulable", tight);
    } finally {
      await kubectl(["uncordon", node]);
    }
    await standsStill("pressed", "TargetRefused", `web.${tight}.svc`, tight); // it runs, and has no endpoints here
  }, 240_000);
});
