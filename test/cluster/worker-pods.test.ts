// What a user may ask of worker Pods, on a real cluster: their template, values from Secrets, and who may name those.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LoadTestStatus } from "../../lib/loadtest/load-test-status.ts";
import type { Pod } from "../../lib/plan/objects.ts";
import { startWebhook } from "../binary/webhook-process.ts";
import { installController, installKinds, installWebhooks, removeExtension } from "./extension.ts";
import { eventually, kubeconfig, kubectl, kubectlJson, tryKubectl } from "./kubectl.ts";

const namespace = "loadtest-worker-pods";
const inNamespace = ["-n", namespace];
const host = `web.${namespace}.svc`;
const token = "hush-hush";

const create = (...args: string[]) => kubectl(["create", ...args, ...inNamespace]);
const loadTest = (name: string, spec: object) =>
  JSON.stringify({
    apiVersion: "beta.kuar.com/v1",
    kind: "LoadTest",
    metadata: { name },
    spec: { service: "web", scheme: "https", requestsPerSecond: 50, duration: "2s", ...spec },
  });
const tryApply = (name: string, spec: object, ...flags: string[]) =>
  tryKubectl(["apply", ...inNamespace, ...flags, "-f", "-"], loadTest(name, spec));
const apply = (name: string, spec: object) => kubectl(["apply", ...inNamespace, "-f", "-"], loadTest(name, spec));
const statusOf = async (name: string) =>
  (await kubectlJson<{ status?: LoadTestStatus }>(["get", "lt", name, ...inNamespace])).status;
const conditionOf = async (name: string, type: string) =>
  (await statusOf(name))?.conditions?.find((condition) => condition.type === type);
const podsOf = async (name: string) =>
  (await kubectlJson<{ items: Pod[] }>(["get", "pods", ...inNamespace, "-l", `beta.kuar.com/loadtest=${name}`])).items;

/** Answers those only who show a certificate of the authority, know the token, and send a body of five bytes. */
const nginxConf = `
pid /tmp/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path /tmp/a; proxy_temp_path /tmp/b; fastcgi_temp_path /tmp/c; uwsgi_temp_path /tmp/d; scgi_temp_path /tmp/e;
  server {
    listen 8443 ssl;
    ssl_certificate /tls/tls.crt;
    ssl_certificate_key /tls/tls.key;
    ssl_client_certificate /tls/tls.crt;
    ssl_verify_client on;
    if ($http_authorization != "Bearer ${token}") { return 403; }
    if ($http_content_length != "5") { return 400; }
    location / { return 200 "welcome"; }
  }
}`;

const target = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", labels: { app: "web" } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: "nginx",
        image: "localhost/nginx:test",
        imagePullPolicy: "Never",
        readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
        volumeMounts: [
          { name: "configuration", mountPath: "/etc/nginx/nginx.conf", subPath: "nginx.conf" },
          { name: "tls", mountPath: "/tls" },
          { name: "tmp", mountPath: "/tmp" },
        ],
      },
    ],
    volumes: [
      { name: "configuration", configMap: { name: "nginx" } },
      { name: "tls", secret: { secretName: "web" } },
      { name: "tmp", emptyDir: {} },
    ],
  },
};

async function startTarget(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "loadtest-test-"));
  const [certificate, key] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  const subject = ["-subj", "/CN=web", "-addext", `subjectAltName=DNS:${host}`, "-days", "1", "-nodes"];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const openssl = Bun.spawnSync(["openssl", "req", "-x509", ...kind, ...subject, "-keyout", key, "-out", certificate]);
  expect(openssl.exitCode).toBe(0);
  await create("secret", "tls", "web", `--cert=${certificate}`, `--key=${key}`);
  await create("secret", "generic", "values", `--from-literal=token=Bearer ${token}`);
  await create("configmap", "values", "--from-literal=body=hello", `--from-file=ca.crt=${certificate}`);
  await create("configmap", "nginx", `--from-literal=nginx.conf=${nginxConf}`);
  await kubectl(["apply", ...inNamespace, "-f", "-"], JSON.stringify(target));
  await create("service", "clusterip", "web", "--tcp=443:8443");
  await kubectl(["wait", "--for=condition=Ready", "pod/web", "--timeout=60s", ...inNamespace]);
}

const authorization = { name: "Authorization", valueFrom: { secretKeyRef: { name: "values", key: "token" } } };
const bodyFrom = { configMapKeyRef: { name: "values", key: "body" } };
const secretive = {
  tls: {
    caFrom: { configMapKeyRef: { name: "values", key: "ca.crt" } },
    clientCertificateFrom: { secretRef: { name: "web" } },
  },
  requests: [{ path: "/", method: "POST", headers: [authorization], bodyFrom }],
};

describe.skipIf(kubeconfig === "")("worker Pods on a real cluster", () => {
  beforeAll(async () => {
    await installKinds();
    await kubectl(["create", "namespace", namespace]);
    await Promise.all([installController().then(installWebhooks), startTarget()]);
  }, 180_000);

  afterAll(() => removeExtension(namespace), 120_000);

  test("header, body and client certificate come from Secrets and a ConfigMap, and stand nowhere else", async () => {
    await apply("secretive", secretive);
    await eventually(
      () => statusOf("secretive"),
      (status) => status?.phase === "Finished",
    );
    const { completed = 0, sent, statusCodes } = (await statusOf("secretive"))?.results ?? {};
    expect(completed).toBeGreaterThan(0);
    expect({ sent, statusCodes }).toEqual({ sent: completed, statusCodes: { 200: completed } });
    const everything = [
      await kubectl(["get", "lt,pods,events", "-o", "json", ...inNamespace]),
      await kubectl(["logs", "-l", "beta.kuar.com/loadtest=secretive", "--tail=-1", ...inNamespace]),
    ];
    expect(everything.join()).not.toContain(token);
  }, 120_000);

  test("a Secret that is not there keeps the Pod waiting, and the kubelet's Event says so", async () => {
    const headers = [{ name: "A", valueFrom: { secretKeyRef: { name: "nonesuch", key: "k" } } }];
    await apply("waiting", { ...secretive, requests: [{ path: "/", headers }] });
    await eventually(
      () => kubectl(["get", "events", "--field-selector=reason=FailedMount", ...inNamespace]),
      (events) => events.includes('secret "nonesuch" not found'),
    );
    await kubectl(["delete", "lt", "waiting", ...inNamespace]);
  }, 120_000);

  test("a podTemplate is applied, gates hold the Pod, and a change of it makes another", async () => {
    const podTemplate = {
      labels: { team: "web" },
      resources: { requests: { cpu: "50m" }, limits: { memory: "256Mi" } },
      tolerations: [{ operator: "Exists" }],
      securityContext: { runAsUser: 1234 },
      schedulingGates: [{ name: "example.com/wait" }],
    };
    await apply("gated", { ...secretive, podTemplate });
    const [pod] = await eventually(
      () => podsOf("gated"),
      (pods) => pods.length === 1,
    );
    expect(pod?.metadata.labels).toMatchObject({ team: "web" });
    expect(pod?.spec).toMatchObject({
      schedulingGates: podTemplate.schedulingGates,
      securityContext: { runAsNonRoot: true, runAsUser: 1234 },
    });
    const { schedulingGates: _, ...ungated } = podTemplate;
    await apply("gated", { ...secretive, podTemplate: ungated });
    await eventually(
      () => statusOf("gated"),
      (status) => status?.phase === "Finished",
    );
    const [other] = await podsOf("gated");
    expect(other?.metadata.uid).not.toBe(pod?.metadata.uid as string);
  }, 120_000);

  test("a template that the API server refuses is said in its words, until it is mended", async () => {
    await apply("refused", { ...secretive, podTemplate: { priorityClassName: "nonesuch" } });
    const refused = await eventually(
      () => conditionOf("refused", "Accepted"),
      (condition) => condition?.reason === "PodTemplateInvalid",
    );
    expect(refused?.message).toContain("no PriorityClass with name nonesuch was found");
    expect(await podsOf("refused")).toEqual([]);
    await apply("refused", { ...secretive, podTemplate: {} });
    await eventually(
      () => statusOf("refused"),
      (status) => status?.phase === "Finished",
    );
  }, 120_000);

  test("only who may get a Secret may have a LoadTest send it", async () => {
    await create("role", "author", "--verb=get,create,patch", "--resource=loadtests.beta.kuar.com");
    await create("role", "reader", "--verb=get", "--resource=secrets", "--resource-name=values");
    await create("rolebinding", "authors", "--role=author", "--user=alice", "--user=bob");
    await create("rolebinding", "readers", "--role=reader", "--user=alice");
    const as = (user: string, spec: object) => tryApply("shared", spec, "--as", user);
    const { tls: _, ...plain } = secretive;
    const named = { ...plain, scheme: "http", podTemplate: { schedulingGates: [{ name: "hold" }] } };

    const bob = await as("bob", named);
    expect(bob.code).toBe(1);
    expect(bob.err).toContain(`Secret "values" in LoadTest "shared": user "bob" may not get it`);
    expect(await as("alice", named)).toMatchObject({ code: 0 });
    const certificate = await as("alice", { ...named, ...secretive, scheme: "https" });
    expect(certificate.err).toContain('Secret "web" in LoadTest "shared": user "alice" may not get it');
    // Bob may change what leaves the Secret where it goes, and nothing else.
    expect(await as("bob", { ...named, requestsPerSecond: 7 })).toMatchObject({ code: 0 });
    expect((await as("bob", { ...named, service: "mine" })).err).toContain('user "bob" may not get it');
    expect(await as("bob", { scheme: "http", podTemplate: named.podTemplate, paths: ["/"] })).toMatchObject({
      code: 0,
    });
    await kubectl(["delete", "lt", "shared", ...inNamespace]);
  }, 120_000);

  test("a webhook by itself asks the cluster of its kubeconfig, and knows nobody without", async () => {
    const named = JSON.parse(loadTest("direct", secretive)) as object;
    const review = (username: string) =>
      JSON.stringify({
        apiVersion: "admission.k8s.io/v1",
        kind: "AdmissionReview",
        request: {
          uid: "u",
          kind: { group: "beta.kuar.com", version: "v1", kind: "LoadTest" },
          operation: "CREATE",
          namespace,
          userInfo: { username, groups: username === "root" ? ["system:masters"] : [] },
          object: named,
        },
      });
    const verdicts = async (...flags: string[]) => {
      const webhook = await startWebhook(["--plain-http", "--host", "127.0.0.1", ...flags]);
      const ask = async (user: string) => {
        const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: review(user) };
        const answer = await fetch(`http://127.0.0.1:${webhook.port}/validate`, init);
        const { response } = (await answer.json()) as { response: { allowed: boolean; status?: { message: string } } };
        return response.allowed || response.status?.message;
      };
      const answers = [await ask("root"), await ask("bob")];
      webhook.kill("SIGTERM");
      return answers;
    };
    const refused = expect.stringContaining('Secret "values", "web" in LoadTest "direct": user "bob" may not get it');
    expect(await verdicts("--kubeconfig", kubeconfig)).toEqual([true, refused as never]);
    const nobody = expect.stringContaining("must be started with --kubeconfig") as never;
    expect(await verdicts()).toEqual([nobody, nobody]);
  }, 60_000);
});
