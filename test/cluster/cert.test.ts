// `loadtest cert` on a real API server: its signers, its refusals, and a webhook that it calls with what they signed.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConnection } from "../../lib/kube/kubeconfig.ts";
import { binary, loadtest, type Outcome } from "../binary/process.ts";
import { installKinds } from "./extension.ts";
import { eventually, kubeconfig, kubectl, kubectlJson, tryKubectl } from "./kubectl.ts";

const namespace = "cert-test";
const authority = ["-n", namespace];
const folder = mkdtempSync(join(tmpdir(), "cert-test-"));
const requests: string[] = [];

const cert = (...args: string[]) => loadtest(["cert", ...args, "--kubeconfig", kubeconfig]);

/** Runs a subcommand that must succeed. */
async function done(...args: string[]): Promise<Outcome> {
  const outcome = await cert(...args);
  if (outcome.code !== 0) throw new Error(outcome.err);
  return outcome;
}

/** The name of a request that is deleted at the end. */
function requestName(name: string): string {
  requests.push(`cert-test-${name}`);
  return `cert-test-${name}`;
}

/** A folder with the key and request of `server`. */
async function newKey(server: string, ...flags: string[]): Promise<string> {
  const own = mkdtempSync(join(folder, "key-"));
  const { code, err } = await loadtest(["cert", "key-csr", server, "--out-dir", own, ...flags]);
  if (code !== 0) throw new Error(err);
  return own;
}

function verify(ca: string, leaf: string): string {
  const { stdout, stderr } = Bun.spawnSync(["openssl", "verify", "-purpose", "sslserver", "-CAfile", ca, leaf]);
  return `${stdout}${stderr}`;
}

async function clusterCa(): Promise<string> {
  const { data } = await kubectlJson<{ data: { "ca.crt": string } }>([
    "get",
    "cm",
    "kube-root-ca.crt",
    "-n",
    namespace,
  ]);
  const file = join(folder, "cluster-ca.crt");
  writeFileSync(file, data["ca.crt"]);
  return file;
}

describe.skipIf(kubeconfig === "")("certificates from a real API server", () => {
  beforeAll(async () => {
    await installKinds();
    await kubectl(["create", "namespace", namespace]);
    await eventually(
      () => tryKubectl(["get", "cm", "kube-root-ca.crt", "-n", namespace]),
      ({ code }) => code === 0,
    );
  }, 60_000);

  afterAll(async () => {
    await kubectl(["delete", "validatingwebhookconfiguration", "cert-test-validator", "--ignore-not-found"]);
    await kubectl(["delete", "csr", "--ignore-not-found", ...requests]);
    await kubectl(["delete", "clusterrole,clusterrolebinding", "cert-test-weak", "--ignore-not-found"]);
    await kubectl(["delete", "namespace", namespace]);
    await kubectl(["delete", "crd", "loadtests.beta.kuar.com", "canaries.beta.kuar.com"]);
    rmSync(folder, { recursive: true });
  }, 90_000);

  test.each([
    ["own", "P-256"],
    ["own", "RSA-2048"],
    ["kubelet-serving", "P-256"],
    ["kubelet-serving", "RSA-2048"],
  ])(
    "a webhook is called with a certificate of %s and a key of %s, and not without its authority",
    async (signer, kind) => {
      // The test cluster's API server runs on this machine, at an address that it can call, too.
      const host = new URL((await loadConnection({ kubeconfig })).serverUrl).hostname;
      const out = mkdtempSync(join(folder, "issue-"));
      const name = requestName(`${signer}-${kind.toLowerCase()}`);
      const secret = ["--authority-secret", `signer-${kind.toLowerCase()}`];
      const { out: json } = await done(
        ...[
          "issue",
          `https://${host}:8443`,
          "--dns",
          "hooks.cert-test.svc",
          "--signer",
          signer,
          "--key-algorithm",
          kind,
        ],
        ...["--name", name, "--out-dir", out, ...authority, ...secret, "--output", "json"],
      );
      const file = (base: string) => join(out, base);
      expect(JSON.parse(json)).toMatchObject({
        dnsNames: ["hooks.cert-test.svc"],
        ipAddresses: [host],
        files: { certificate: file("server.crt"), key: file("server.key"), ca: file("ca.crt") },
      });
      expect(statSync(file("server.key")).mode & 0o777).toBe(0o600);
      expect(verify(file("ca.crt"), file("server.crt"))).toContain(": OK");
      expect(verify(await clusterCa(), file("server.crt")).includes(": OK")).toBe(signer === "kubelet-serving");

      await using webhook = await startWebhook(host, file("server.crt"), file("server.key"));
      const stranger = await newAuthorityFile();
      await register(`https://${host}:${webhook.port}/validate`, stranger);
      await eventually(createLoadTest, ({ err }) => err.includes("x509: certificate signed by unknown authority"));
      await register(`https://${host}:${webhook.port}/validate`, file("ca.crt"));
      await eventually(createLoadTest, ({ code }) => code === 0);
      await kubectl(["delete", "validatingwebhookconfiguration", "cert-test-validator"]);
    },
    60_000,
  );

  test("step by step, the signer own certifies an RSA key, for the lifetime asked for", async () => {
    const own = await newKey("steps.cert-test", "--key-algorithm", "RSA-2048");
    const name = requestName("steps");
    const files = (base: string) => join(own, base);
    const place = [...authority, "--authority-secret", "signer-steps"];
    const request = ["request", name, "--csr", files("server.csr"), "--expiration", "24h"];
    expect((await done(...request)).err).toContain("created CertificateSigningRequest");
    expect((await done(...request)).err).toContain("reused CertificateSigningRequest");
    expect((await cert("sign", name, ...place)).err).toContain("nobody has approved it, must be approved");
    expect((await done("approve", name)).err).toMatch(/^approved: .* for steps\.cert-test\.svc, /);
    expect((await done("approve", name)).err).toStartWith("approved already: ");
    const download = ["download", name, "--out", files("server.crt"), "--ca-out", files("ca.crt"), ...place];
    const early = await cert(...download, "--timeout", "1s");
    expect(early.err).toContain("it is approved, but not signed after 1s, must be signed (loadtest cert sign");
    await done("sign", name, ...place);
    expect((await done("sign", name, ...place)).err).toContain("is signed already");
    expect((await done(...download)).err).toContain(
      `checked against ${files("server.key")} and Secret cert-test/signer-steps`,
    );
    expect(verify(files("ca.crt"), files("server.crt"))).toContain(": OK");
    const text = Bun.spawnSync(["openssl", "x509", "-noout", "-text", "-in", files("server.crt")]).stdout.toString();
    expect(text).toContain("Public-Key: (2048 bit)");
    expect(text).toMatch(/Key Usage: critical\n\s*Digital Signature, Key Encipherment\n/);
    const endsIn = (seconds: number) =>
      Bun.spawnSync(["openssl", "x509", "-noout", "-checkend", String(seconds), "-in", files("server.crt")]).exitCode;
    expect([endsIn(23 * 3600), endsIn(24 * 3600)]).toEqual([0, 1]);
  });

  test("an authority certifies the names it was made for, and is replaced only when asked", async () => {
    const place = [...authority, "--authority-secret", "signer-names"];
    const issue = (server: string, ...flags: string[]) => {
      const name = requestName(`names-${server.replaceAll(".", "-")}`);
      return cert("issue", server, "--name", name, "--out-dir", join(folder, name), ...place, ...flags);
    };
    expect((await issue("first.cert-test")).code).toBe(0);
    expect((await issue("below.first.cert-test.svc")).code).toBe(0);
    const refused = await issue("second.cert-test");
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("not for second.cert-test.svc; must be replaced with --replace-authority");
    const replaced = await issue("second.cert-test", "--replace-authority");
    expect(replaced.err).toContain("took "); // it goes on with the key that the refused attempt has made
    expect(replaced.err).toContain("every caBundle that holds the old authority needs the new one");
    expect(replaced.code).toBe(0);
    const former = await cert(
      "download",
      "cert-test-names-first-cert-test",
      "--out",
      join(folder, "former.crt"),
      ...place,
    );
    expect(former.err).toContain("leads to no certificate of the bundle");
    expect(() => statSync(join(folder, "former.crt"))).toThrow();
  });

  test("a request that is denied, refused, forgotten or another one's is told apart", async () => {
    const own = await newKey("states.cert-test");
    const csr = ["--csr", join(own, "server.csr")];
    const out = ["--out", join(own, "server.crt"), "--timeout", "2s"];

    const denied = requestName("denied");
    await done("request", denied, ...csr);
    expect((await cert("download", denied, ...out)).err).toContain("nobody has approved it after 2s, must be approved");
    await kubectl(["certificate", "deny", denied]);
    expect((await cert("approve", denied)).err).toContain("it is denied (KubectlDeny: ");
    expect((await cert("download", denied, ...out)).err).toContain(`must be deleted (kubectl delete csr ${denied})`);
    expect((await cert("sign", denied, ...authority)).err).toContain("it is denied, must be approved");

    const client = "kubernetes.io/kube-apiserver-client";
    const failed = await cert(
      "issue",
      "x.cert-test",
      "--signer",
      client,
      "--name",
      requestName("failed"),
      "--out-dir",
      join(folder, "f"),
    );
    expect(failed).toMatchObject({ code: 1, out: "" });
    expect(failed.err).toContain(
      "its signer refuses it (SignerValidationFailure: invalid usage for client certificate",
    );

    const nobody = requestName("nobody");
    await done("request", nobody, ...csr, "--signer", "example.com/nobody");
    await done("approve", nobody);
    expect((await cert("download", nobody, ...out)).err).toContain(
      'approved, but not signed after 2s: no signer "example.com/nobody" seems to run here',
    );
    expect((await cert("sign", nobody, ...authority)).err).toContain(
      "it is for the signer example.com/nobody, must be for",
    );
    expect((await cert("request", nobody, ...csr)).err).toContain("asks for another signer, example.com/nobody");
    const other = ["--csr", join(await newKey("states.cert-test"), "server.csr"), "--signer", "example.com/nobody"];
    expect((await cert("request", nobody, ...other)).err).toContain("asks for another key or other names");
    expect((await cert("download", "cert-test-none", ...out)).err).toContain("there is none, must be made");
  });

  test("the signer own gives no certificate to a client", async () => {
    const name = requestName("client");
    const own = await newKey("client.cert-test");
    const { out } = await done("request", name, "--csr", join(own, "server.csr"), "--print");
    await kubectl(["create", "-f", "-"], out.replace("server auth", "client auth"));
    await done("approve", name);
    const { code, err } = await cert("sign", name, ...authority);
    expect(code).toBe(1);
    expect(err).toContain("its usages are digital signature, key encipherment, client auth, must be server auth");
  });

  test("doctor tries each signer, leaves nothing behind, and judges what there is", async () => {
    const signers = ["--signer", "example.com/nobody", "kubernetes.io/kube-apiserver-client"];
    const { code, out } = await cert("doctor", ...signers, "--output", "json");
    expect(code).toBe(1);
    const { healthy, findings } = JSON.parse(out) as {
      healthy: boolean;
      findings: { subject: string; level: string; message: string }[];
    };
    expect(healthy).toBe(false);
    expect(findings.map(({ subject, level }) => [subject, level])).toEqual([
      ["signer beta.kuar.com/webhook-serving", "ok"],
      ["signer kubernetes.io/kubelet-serving", "ok"],
      ["signer example.com/nobody", "failure"],
      ["signer kubernetes.io/kube-apiserver-client", "failure"],
      ["serving certificate", "warning"],
      ["authority", "warning"],
      ["caBundle of kuar-validator", "warning"],
      ["caBundle of kuar-defaulter", "warning"],
      ["cluster CA", "ok"],
    ]);
    expect(await kubectl(["get", "csr", "-o", "name"])).not.toContain("loadtest-doctor");
    const text = await cert("doctor");
    expect(text.code).toBe(0);
    expect(text.out).toContain("OK       signer kubernetes.io/kubelet-serving: signs with the cluster's CA");
    expect(text.out).toContain("→ apply manifests/controller.yaml");
  });

  test("doctor interrupted leaves nothing behind", async () => {
    const child = Bun.spawn([binary, "cert", "doctor", "--signer", "example.com/nobody", "--kubeconfig", kubeconfig], {
      stdout: "pipe",
    });
    const probes = async () => (await kubectl(["get", "csr", "-o", "name"])).includes("loadtest-doctor");
    await eventually(probes, (are) => are);
    child.kill("SIGINT");
    expect(await child.exited).toBe(1);
    expect(await child.stdout.text()).toContain("nobody has signed an approved request until the interrupt");
    expect(await probes()).toBe(false);
  });

  test("who may not approve is told so, and goes on when somebody has", async () => {
    const user = ["--kubeconfig", await weakKubeconfig()];
    const name = requestName("weak");
    const out = join(folder, "weak");
    const issue = ["cert", "issue", "weak.cert-test", "--name", name, "--out-dir", out, ...authority];
    const refused = await loadtest([...issue, ...user]);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain(`Cannot approve "${name}": you may not, must be done by somebody who may`);
    const place = ["--authority-secret", "signer-weak", ...authority];
    await done("approve", name);
    await done("sign", name, ...place);
    const ca = join(folder, "weak-ca.crt");
    const secret = await kubectlJson<{ data: Record<string, string> }>(["get", "secret", "signer-weak", ...authority]);
    writeFileSync(ca, atob(secret.data["ca.crt"] ?? ""));
    const unchecked = await loadtest([
      "cert",
      "download",
      name,
      "--out",
      join(out, "server.crt"),
      ...authority,
      ...user,
    ]);
    expect(unchecked.err).toContain("warning: who has signed it was not checked");
    const resumed = await loadtest([...issue, ...user, "--ca-file", ca]);
    expect(resumed).toMatchObject({
      code: 0,
      err: expect.stringContaining(`checked against ${join(out, "server.key")} and ${ca}`) as never,
    });
    const doctor = await loadtest(["cert", "doctor", ...user]);
    expect(doctor.code).toBe(1);
    expect(doctor.out).toContain('approve signers "beta.kuar.com/webhook-serving"');
    expect(doctor.out).toContain("authority: you may not read it");
  });

  test("renew without the extension says that it must be installed", async () => {
    const { code, err } = await cert("renew");
    expect(code).toBe(1);
    expect(err).toContain(
      "Secret loadtest-system/loadtest-webhook-tls: there is none, the extension must be installed",
    );
  });
});

async function startWebhook(host: string, certFile: string, keyFile: string) {
  const child = Bun.spawn(
    [
      ...[binary, "webhook", "--host", host, "--port", "0", "--cert-file", certFile, "--key-file", keyFile],
      ...["--health-port", "0", "--metrics-port", "0", "--drain", "0s"],
    ],
    { stderr: "pipe" },
  );
  const decoder = new TextDecoder();
  let log = "";
  for await (const piece of child.stderr) {
    log += decoder.decode(piece, { stream: true });
    const started = log.split("\n").find((line) => line.includes("webhook started") && line.endsWith("}"));
    if (started === undefined) continue;
    return {
      port: (JSON.parse(started) as { port: number }).port,
      [Symbol.asyncDispose]: async () => {
        child.kill("SIGTERM");
        await child.exited;
      },
    };
  }
  throw new Error(`the webhook does not start: ${log}`);
}

async function newAuthorityFile(): Promise<string> {
  const file = join(folder, "stranger.crt");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null"];
  Bun.spawnSync(["openssl", "req", "-x509", ...key, "-subj", "/CN=stranger", "-out", file]);
  return file;
}

/** Registers the URL for LoadTests of this test's namespace. */
async function register(url: string, caFile: string): Promise<void> {
  const configuration = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "cert-test-validator" },
    webhooks: [
      {
        name: "cert-test.kuar.com",
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
        rules: [
          { apiGroups: ["beta.kuar.com"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["loadtests"] },
        ],
        clientConfig: { url, caBundle: readFileSync(caFile).toString("base64") },
        failurePolicy: "Fail",
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
      },
    ],
  };
  await kubectl(["apply", "-f", "-"], JSON.stringify(configuration));
}

const createLoadTest = () =>
  tryKubectl(
    ["create", "--dry-run=server", "-n", namespace, "-f", "-"],
    JSON.stringify({
      apiVersion: "beta.kuar.com/v1",
      kind: "LoadTest",
      metadata: { name: "cert-test" },
      spec: { service: "web", scheme: "https", requestsPerSecond: 10 },
    }),
  );

/** A kubeconfig of somebody who may make and read requests, and nothing else. */
async function weakKubeconfig(): Promise<string> {
  await kubectl(["create", "serviceaccount", "weak", "-n", namespace]);
  const role = ["--verb=create,get", "--resource=certificatesigningrequests.certificates.k8s.io"];
  await kubectl(["create", "clusterrole", "cert-test-weak", ...role]);
  await kubectl([
    "create",
    "clusterrolebinding",
    "cert-test-weak",
    "--clusterrole=cert-test-weak",
    "--serviceaccount=cert-test:weak",
  ]);
  const token = (await kubectl(["create", "token", "weak", "-n", namespace])).trim();
  const config = await kubectlJson<{ clusters: object[] }>(["config", "view", "--raw", "--minify"]);
  const [cluster] = config.clusters as { name: string }[];
  const file = join(folder, "weak.kubeconfig");
  const context = { name: "weak", context: { cluster: cluster?.name, user: "weak" } };
  const user = { name: "weak", user: { token } };
  writeFileSync(file, JSON.stringify({ ...config, contexts: [context], users: [user], "current-context": "weak" }), {
    mode: 0o600,
  });
  return file;
}
