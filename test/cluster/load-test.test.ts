// The main job on a real cluster: the controller in its Pod, worker Pods on a real kubelet, nginx counting.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apiVersion } from "../../lib/loadtest/api-group.ts";
import { loadTestKind } from "../../lib/loadtest/kind.ts";
import type { Condition, LoadTestStatus } from "../../lib/loadtest/load-test-status.ts";
import { type Access, accessLog as accessLogIn, afterPreflight, startNginx } from "./access-log.ts";
import { installExtension, removeExtension } from "./extension.ts";
import { eventually, kubeconfig, kubectl, kubectlJson, tryKubectl } from "./kubectl.ts";

const root = join(import.meta.dir, "../..");
const namespace = "loadtest-e2e";
const inNamespace = ["-n", namespace];

interface PodList {
  items: {
    metadata: { name: string; uid: string; resourceVersion: string };
    status: {
      podIP?: string;
      containerStatuses?: { restartCount: number; state: { running?: object; terminated?: { message?: string } } }[];
    };
  }[];
}
interface Stored {
  metadata: { resourceVersion: string };
  status?: LoadTestStatus;
}

const manifest = (name: string, spec: object) =>
  JSON.stringify({ apiVersion, kind: "LoadTest", metadata: { name }, spec });
const basics = { service: "my-service", scheme: "https", requestsPerSecond: 100 };

const stage = (duration: string, requestsPerSecond: number) => ({ duration, requestsPerSecond });
const post = { path: "/a", method: "POST", headers: [{ name: "Accept", value: "text/html" }], body: "a=b" };

const apply = (name: string, spec: object) => kubectl(["apply", ...inNamespace, "-f", "-"], manifest(name, spec));
const podsOf = (name: string) =>
  kubectlJson<PodList>(["get", "pods", ...inNamespace, "-l", `beta.kuar.com/loadtest=${name}`]);
const accessLog = (since: string) => accessLogIn(namespace, since);
const get = (name: string) => kubectlJson<Stored>(["get", "lt", name, ...inNamespace]);
const phaseOf = async (name: string) => (await get(name)).status?.phase;
const conditionOf = async (name: string, type: string): Promise<Condition | undefined> =>
  (await get(name)).status?.conditions?.find((condition) => condition.type === type);

/** Requests per second over the last whole seconds of the log, all of which the load covered. */
async function measuredRate(seconds: number): Promise<{ perSecond: number; log: Access[] }> {
  await Bun.sleep((seconds + 1) * 1000); // the measurement itself takes this long
  const log = await accessLog(`${seconds + 5}s`);
  const end = Math.floor((log.at(-1) as Access).atSeconds);
  const counted = log.filter(({ atSeconds }) => atSeconds >= end - seconds && atSeconds < end);
  return { perSecond: counted.length / seconds, log: counted };
}

/** Ten seconds of a load that have `perSecond` within 1 %; a standstill of the machine at their edge moves requests across it. */
async function rateOf(perSecond: number): Promise<{ log: Access[] }> {
  const isClose = (measured: { perSecond: number }) => Math.abs(measured.perSecond / perSecond - 1) <= 0.01;
  return await eventually(() => measuredRate(10), isClose, 40_000);
}

/** The demo server as a Pod, with a certificate that no authority of the cluster has signed. */
const targetPod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "own-ca", labels: { app: "own-ca" } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: "target",
        image: "localhost/loadtest:dev",
        args: ["target", "--host", "0.0.0.0", "--port", "8443", "--cert", "/tls/tls.crt", "--key", "/tls/tls.key"],
        readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
        volumeMounts: [{ name: "tls", mountPath: "/tls" }],
      },
    ],
    volumes: [{ name: "tls", secret: { secretName: "own-ca" } }],
  },
};

describe.skipIf(kubeconfig === "")("on a real cluster", () => {
  beforeAll(async () => {
    await installExtension();
    await startNginx(namespace);
  }, 180_000);

  afterAll(() => removeExtension(namespace), 120_000);

  afterEach(async () => {
    await kubectl(["delete", "lt", "--all", ...inNamespace]);
    const workers = () => kubectlJson<PodList>(["get", "pods", ...inNamespace, "-l", "beta.kuar.com/loadtest"]);
    await eventually(workers, ({ items }) => items.length === 0);
  }, 90_000);

  test("the sample's load arrives at the asked rate, evenly over its paths; an edit changes it; delete ends it", async () => {
    const sample = await Bun.file(join(root, "manifests/samples/loadtest.yaml")).text();
    await kubectl(["apply", ...inNamespace, "-f", "-"], sample);
    await eventually(
      () => phaseOf("my-loadtest"),
      (phase) => phase === "Running",
    );
    const first = await rateOf(1000);
    for (const path of ["/index.html", "/login.html", "/shares/my-shares/"]) {
      const share = first.log.filter((access) => access.path === path).length / first.log.length;
      expect(Math.abs(share - 1 / 3)).toBeLessThan(0.001);
    }
    expect(first.log.filter(({ status }) => status !== "200")).toEqual([]);

    await kubectl([
      "patch",
      "lt",
      "my-loadtest",
      ...inNamespace,
      "--type=merge",
      "-p",
      '{"spec":{"requestsPerSecond":2000}}',
    ]);
    await eventually(
      () => accessLog("1s"),
      (log) => log.length > 1800,
    );
    await rateOf(2000);

    await kubectl(["delete", "lt", "my-loadtest", ...inNamespace]);
    await eventually(
      () => podsOf("my-loadtest"),
      ({ items }) => items.length === 0,
    );
    await eventually(
      () => accessLog("2s"),
      (log) => log.length === 0,
    );
  }, 180_000);

  test("a LoadTest with a duration ends by itself, over several workers that begin together", async () => {
    await apply("bounded", {
      ...basics,
      requestsPerSecond: 300,
      duration: "4s",
      workers: 3,
      paths: ["/login.html?bounded"],
    });
    await eventually(
      () => phaseOf("bounded"),
      (phase) => phase === "Finished",
    );
    const log = afterPreflight((await accessLog("30s")).filter(({ path }) => path === "/login.html?bounded"));
    expect(log.length).toBe(1200);
    const seconds = (log.at(-1) as Access).atSeconds - (log[0] as Access).atSeconds;
    expect(seconds).toBeGreaterThan(3.5);
    expect(seconds).toBeLessThan(5);
    expect(await conditionOf("bounded", "Complete")).toMatchObject({ status: "True" });
  }, 120_000);

  test("a finished test has results and a verdict on its object, in columns too, and keeps them without its Pods", async () => {
    const spec = { ...basics, duration: "4s", workers: 2, paths: ["/index.html", "/login.html"] };
    await apply("kept", { ...spec, thresholds: { latency: { p99: "10m" }, errorRate: "100%", minRate: "1%" } });
    await apply("broken", { ...spec, thresholds: { latency: { p50: "1us" } } });
    for (const name of ["kept", "broken"]) {
      await eventually(
        () => phaseOf(name),
        (phase) => phase === "Finished",
      );
      const { results, display } = (await get(name)).status ?? {};
      expect(results).toMatchObject({ scheduled: 400, completed: 400, failed: {}, lost: 0, statusCodes: { 200: 400 } });
      expect(results?.paths?.map(({ path, completed }) => [path, completed])).toEqual([
        ["/index.html", 200],
        ["/login.html", 200],
      ]);
      // Whether the generator kept up is this machine's affair; the verdict has to say so.
      const verdict =
        name === "kept"
          ? { status: "True", reason: "ThresholdsKept" }
          : { status: "False", reason: "ThresholdsBroken" };
      const inconclusive = { status: "Unknown", reason: "GeneratorSaturated" };
      expect(await conditionOf(name, "Passed")).toMatchObject(results?.valid ? verdict : inconclusive);
      const [head, row] = (await kubectl(["get", "lt", name, ...inNamespace])).trim().split("\n");
      expect(head?.split(/\s+/)).toEqual(["NAME", "STATUS", "TARGET-RPS", "RPS", "ERR%", "P99", "WORKERS", "AGE"]);
      expect(row?.split(/\s+/).slice(1, 6)).toEqual([
        "Finished",
        "100",
        display?.rps,
        display?.errors,
        display?.p99,
      ] as never);

      const before = (await get(name)).metadata.resourceVersion;
      await kubectl(["delete", "pods", "-l", `beta.kuar.com/loadtest=${name}`, ...inNamespace]);
      await Bun.sleep(5000); // whoever heard that has acted by now
      const after = await get(name);
      expect(after.status?.results).toEqual(results as never);
      expect(after.metadata.resourceVersion).toBe(before);
      expect((await podsOf(name)).items).toEqual([]);
    }
  }, 120_000);

  test("stages, weights and expected status work in worker Pods, exactly", async () => {
    await apply("ramp", {
      ...basics,
      requestsPerSecond: 100,
      stages: [stage("3s", 300), stage("3s", 0)],
      workers: 2,
      connectionLifetime: "1s",
      requests: [
        { path: "/index.html?ramp", weight: 3 },
        { path: "/missing?ramp", method: "HEAD", expectStatus: [404] },
      ],
    });
    await eventually(
      () => phaseOf("ramp"),
      (phase) => phase === "Finished",
    );
    const log = afterPreflight((await accessLog("30s")).filter(({ path }) => path.endsWith("?ramp")));
    expect(log.length).toBe((3 * (100 + 300)) / 2 + (3 * 300) / 2);
    // Each worker asks 525 times: 131 cycles of four, and once more.
    expect(log.filter(({ status }) => status === "404").length).toBe(2 * 131);
    const results = (await podsOf("ramp")).items.map(
      (pod) => JSON.parse(pod.status.containerStatuses?.[0]?.state.terminated?.message as string).account,
    );
    expect(results.reduce((sum, { completed }) => sum + completed, 0)).toBe(1050);
  }, 120_000);

  test("through a Canary, the backends get their percents exactly, and its edit is followed", async () => {
    await kubectl(["create", "service", "clusterip", "next", "--tcp=80:8080", ...inNamespace]);
    await kubectl(["set", "selector", "service", "next", "app=my-service", ...inNamespace]);
    const split = (percent: number) => {
      const backends = [
        { service: "my-service", percent },
        { service: "next", percent: 100 - percent },
      ];
      const canary = { apiVersion, kind: "Canary", metadata: { name: "split" }, spec: { backends } };
      return kubectl(["apply", ...inNamespace, "-f", "-"], JSON.stringify(canary));
    };
    await split(90);
    const spec = { canary: "split", scheme: "http", requestsPerSecond: 200, workers: 2 };
    await apply("through-canary", { ...spec, duration: "5s", paths: ["/index.html?canary"] });
    await eventually(
      () => phaseOf("through-canary"),
      (phase) => phase === "Finished",
    );
    const log = afterPreflight((await accessLog("60s")).filter(({ path }) => path.endsWith("?canary")));
    expect(log.length).toBe(1000);
    expect(log.filter(({ host }) => host === `my-service.${namespace}.svc`).length).toBe(900);

    await apply("endless", { ...spec, paths: ["/index.html?endless"] });
    const shareOf = async (host: string) => {
      const recent = (await accessLog("2s")).filter(({ path }) => path.endsWith("?endless"));
      return recent.length < 200 ? Number.NaN : recent.filter((access) => access.host === host).length / recent.length;
    };
    await eventually(
      () => shareOf(`next.${namespace}.svc`),
      (share) => Math.abs(share - 0.1) < 0.01,
    );
    await split(50);
    await eventually(
      () => shareOf(`next.${namespace}.svc`),
      (share) => Math.abs(share - 0.5) < 0.01,
    );
    await kubectl(["delete", "canary", "split", ...inNamespace]);
    await eventually(
      () => conditionOf("endless", "Accepted"),
      (condition) => condition?.reason === "CanaryNotFound",
    );
  }, 180_000);

  test("a converged world is not written to, but for the figures of a load that goes on", async () => {
    const versions = async (name: string) => [
      (await get(name)).metadata.resourceVersion,
      ...(await podsOf(name)).items.map(({ metadata }) => metadata.resourceVersion),
    ];
    await apply("quiet", { ...basics, workers: 2, state: "Paused" });
    await apply("loud", { ...basics, workers: 2 });
    for (const name of ["quiet", "loud"]) {
      await eventually(
        () => conditionOf(name, "WorkersReady"),
        (condition) => condition?.status === "True",
      );
    }
    await Bun.sleep(6000); // they have been told their start, and the status says so
    const before = [await versions("quiet"), (await versions("loud")).slice(1)];
    const { display: _, ...status } = (await get("loud")).status ?? {};
    await Bun.sleep(12_000); // whoever heard an echo of a write has answered it by now
    expect([await versions("quiet"), (await versions("loud")).slice(1)]).toEqual(before);
    expect((await get("loud")).status).toMatchObject({ ...status, conditions: expect.any(Array) as never });
  }, 120_000);

  test("a killed controller finds its Pods again, a killed worker runs again", async () => {
    await apply("stable", { ...basics, workers: 3 });
    await eventually(
      () => conditionOf("stable", "WorkersReady"),
      (condition) => condition?.status === "True",
    );
    const uids = (await podsOf("stable")).items.map(({ metadata }) => metadata.uid).toSorted();
    await kubectl([
      "-n",
      "loadtest-system",
      "delete",
      "pod",
      "-l",
      "app.kubernetes.io/component=controller",
      "--grace-period=0",
      "--force",
    ]);
    await kubectl(["-n", "loadtest-system", "rollout", "status", "deployment/loadtest", "--timeout=60s"]);
    await Bun.sleep(5000); // two passes of the new one
    expect((await podsOf("stable")).items.map(({ metadata }) => metadata.uid).toSorted()).toEqual(uids);

    const victim = await workerProcess();
    process.kill(victim, "SIGKILL");
    const restarted = ({ items }: PodList) =>
      items.some(({ status }) => (status.containerStatuses?.[0]?.restartCount ?? 0) > 0);
    await eventually(
      () => podsOf("stable"),
      (pods) => restarted(pods),
    );
    await eventually(
      () => conditionOf("stable", "WorkersReady"),
      (condition) => condition?.status === "True",
    );
    expect((await podsOf("stable")).items.map(({ metadata }) => metadata.uid).toSorted()).toEqual(uids);
  }, 180_000);

  test("a missing Service, a wrong port and an untrusted name are said in the conditions", async () => {
    await apply("missing", { ...basics, service: "nonesuch" });
    await apply("misported", { ...basics, port: 9999 });
    await kubectl(["create", "service", "clusterip", "misnamed", "--tcp=443:8443", ...inNamespace]);
    await kubectl(["set", "selector", "service", "misnamed", "app.kubernetes.io/name=my-service", ...inNamespace]);
    const selector = await kubectl(["get", "service", "my-service", ...inNamespace, "-o", "jsonpath={.spec.selector}"]);
    await kubectl(["patch", "service", "misnamed", ...inNamespace, "--type=merge", "-p", `{"spec":{"selector":null}}`]);
    await kubectl([
      "patch",
      "service",
      "misnamed",
      ...inNamespace,
      "--type=merge",
      "-p",
      `{"spec":{"selector":${selector}}}`,
    ]);
    await apply("misnamed", { ...basics, service: "misnamed" });
    const accepted = (name: string) =>
      eventually(
        () => conditionOf(name, "Accepted"),
        (found) => found !== undefined,
      );
    expect(await accepted("missing")).toMatchObject({ status: "False", reason: "ServiceNotFound" });
    expect(await accepted("misported")).toMatchObject({ status: "False", reason: "PortNotFound" });
    const failed = await eventually(
      () => conditionOf("misnamed", "WorkersReady"),
      (found) => found?.reason === "TargetTls",
    );
    expect(failed?.message).toContain(`must be for misnamed.${namespace}.svc`);
  }, 120_000);

  test("a certificate of another authority is trusted with tls.caFrom, from a ConfigMap or a Secret, and not without", async () => {
    const folder = mkdtempSync(join(tmpdir(), "loadtest-test-"));
    const host = `own-ca.${namespace}.svc`;
    const subject = ["-subj", "/CN=own-ca", "-addext", `subjectAltName=DNS:${host}`, "-days", "1", "-nodes"];
    const files = ["-keyout", join(folder, "tls.key"), "-out", join(folder, "tls.crt")];
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    const openssl = Bun.spawnSync(["openssl", "req", "-x509", ...key, ...subject, ...files]);
    expect(openssl.exitCode).toBe(0);
    const [certificate, privateKey] = [join(folder, "tls.crt"), join(folder, "tls.key")];
    await kubectl([
      "create",
      "secret",
      "tls",
      "own-ca",
      `--cert=${certificate}`,
      `--key=${privateKey}`,
      ...inNamespace,
    ]);
    await kubectl(["create", "configmap", "own-ca", `--from-file=bundle.pem=${certificate}`, ...inNamespace]);
    await kubectl(["apply", ...inNamespace, "-f", "-"], JSON.stringify(targetPod));
    await kubectl(["create", "service", "clusterip", "own-ca", "--tcp=443:8443", ...inNamespace]);
    await kubectl(["wait", "--for=condition=Ready", "pod/own-ca", "--timeout=30s", ...inNamespace]);

    const spec = { ...basics, service: "own-ca", duration: "2s" };
    await apply("untrusting", spec);
    await apply("config-map", { ...spec, tls: { caFrom: { configMapKeyRef: { name: "own-ca", key: "bundle.pem" } } } });
    await apply("secret", { ...spec, tls: { caFrom: { secretKeyRef: { name: "own-ca", key: "tls.crt" } } } });
    for (const name of ["config-map", "secret"]) {
      await eventually(
        () => phaseOf(name),
        (phase) => phase === "Finished",
      );
      const message = (await podsOf(name)).items[0]?.status.containerStatuses?.[0]?.state.terminated?.message;
      expect(JSON.parse(message as string).account).toMatchObject({ scheduled: 200, completed: 200, failed: {} });
    }
    expect(await conditionOf("untrusting", "WorkersReady")).toMatchObject({
      reason: "TargetTls",
      message: expect.stringContaining(`Cannot trust the certificate of "${host}"`) as never,
    });
  }, 120_000);

  test("the API server gives the verdicts that validate gives", async () => {
    const specs: object[] = [
      basics,
      { ...basics, paths: [], port: 8443, duration: "1h30m", timeout: "1ms", workers: 2, connections: 4096 },
      { ...basics, tls: { caFrom: { secretKeyRef: { name: "a", key: "ca.crt" } } } },
      { ...basics, requestsPerSecond: 0 },
      { ...basics, requestsPerSecond: 1_000_001 },
      { ...basics, requestsPerSecond: 1.5 },
      { ...basics, scheme: "ftp" },
      { ...basics, service: "A_b" },
      { ...basics, paths: ["index.html"] },
      { ...basics, paths: Array(33).fill("/") },
      { ...basics, paths: ["/a b"] },
      { ...basics, duration: "0.5s" },
      { ...basics, duration: "169h" },
      { ...basics, duration: "5" },
      { ...basics, timeout: "11m" },
      { ...basics, workers: 0 },
      { ...basics, connections: 5000 },
      { ...basics, unknown: 1 },
      { ...basics, scheme: "http", tls: {} },
      { ...basics, tls: { caFrom: {} } },
      {
        ...basics,
        tls: { caFrom: { secretKeyRef: { name: "a", key: "b" }, configMapKeyRef: { name: "a", key: "b" } } },
      },
      { service: "x" },
      { ...basics, stages: [stage("30s", 500), stage("10s", 0)], arrivals: "Poisson", connectionLifetime: "30s" },
      { ...basics, stages: [stage("0.5s", 500)] },
      { ...basics, stages: [stage("100h", 500), stage("69h", 0)] },
      { ...basics, stages: [stage("30s", 500)], duration: "30s" },
      { ...basics, stages: [] },
      { ...basics, stages: [stage("30s", -1)] },
      { ...basics, arrivals: "poisson" },
      { ...basics, connectionLifetime: "10ms" },
      { ...basics, requests: [post, { path: "/", weight: 1000, expectStatus: [200, 404] }] },
      { ...basics, requests: [post], paths: ["/"] },
      { ...basics, requests: [post], paths: [] },
      { ...basics, requests: [] },
      { ...basics, requests: [{ ...post, method: "CONNECT" }] },
      { ...basics, requests: [{ ...post, weight: 0 }] },
      { ...basics, requests: [{ ...post, expectStatus: [199] }] },
      { ...basics, requests: [{ ...post, headers: [{ name: "Content-length", value: "1" }] }] },
      { ...basics, requests: [{ ...post, headers: [{ name: "A B", value: "1" }] }] },
      { ...basics, requests: [{ ...post, headers: [{ name: "A", value: "1\r\nB: 2" }] }] },
      { ...basics, requests: [{ ...post, body: "ü".repeat(32_000) }] },
      {
        ...basics,
        requests: [
          { ...post, body: "x".repeat(20_000) },
          { path: "/", body: "x".repeat(20_000) },
        ],
      },
      { ...basics, tls: { serverName: "web.example", insecureSkipVerify: true } },
      { ...basics, tls: { serverName: "not a name" } },
      { ...basics, thresholds: { latency: { p50: "1us", p999: "10m" }, errorRate: "0.1%", minRate: "100%" } },
      { ...basics, thresholds: {} },
      { ...basics, thresholds: { latency: { p99: "11m" } } },
      { ...basics, thresholds: { latency: { p98: "1s" } } },
      { ...basics, thresholds: { errorRate: "100.1%" } },
    ];
    for (const spec of specs) {
      const verdict = loadTestKind.judge(JSON.parse(manifest("verdict", spec))).errors.length === 0;
      const answer = await tryKubectl(
        ["create", "--dry-run=server", "--validate=strict", ...inNamespace, "-f", "-"],
        manifest("verdict", spec),
      );
      expect({ spec, accepted: answer.code === 0, words: answer.err }).toMatchObject({ spec, accepted: verdict });
    }
    const long = await tryKubectl(
      ["create", "--dry-run=server", ...inNamespace, "-f", "-"],
      manifest("a".repeat(46), basics),
    );
    expect(long.err).toContain("at most 45 characters");
  }, 120_000);

  test("kubectl explains every field of the spec", async () => {
    const text = await kubectl(["explain", "loadtest.spec", "--recursive=false"]);
    for (const field of [
      "service",
      "scheme",
      "requestsPerSecond",
      "paths",
      "port",
      "duration",
      "stages",
      "arrivals",
      "requests",
      "connectionLifetime",
      "workers",
      "connections",
      "timeout",
      "tls",
      "thresholds",
      "podTemplate",
    ]) {
      expect(text).toContain(`${field}\t`);
    }
    expect(text).not.toContain("<no description>");
  });
});

/** The pid of one worker of a Pod on this machine's kubelet. */
async function workerProcess(): Promise<number> {
  for await (const pid of new Bun.Glob("[0-9]*").scan({ cwd: "/proc", onlyFiles: false })) {
    const command = await Bun.file(`/proc/${pid}/cmdline`)
      .text()
      .catch(() => "");
    if (command.startsWith("/loadtest\0worker\0")) return Number(pid);
  }
  throw new Error("Cannot find a worker process on this machine");
}
