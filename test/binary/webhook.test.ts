import { afterAll, afterEach, expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ConnectionOptions } from "node:tls";
import type { ServingCertificate } from "../../lib/webhook/certificate.ts";
import { TestPki } from "../kube/test-server.ts";
import { type Answer, Client, post } from "../webhook/client.ts";
import { reviewText } from "../webhook/reviews.ts";
import { newCertificate } from "../webhook/serving.ts";
import { loadtest } from "./process.ts";
import { certificateFlags, freePorts, startWebhook, type WebhookProcess, withCertificate } from "./webhook-process.ts";

const pki = new TestPki();
const first = await newCertificate();
const request = post("/validate", reviewText("b-1"));

/** Started by the test that runs, and ended with it. */
let running: WebhookProcess[] = [];

afterEach(() => {
  for (const webhook of running) webhook.kill();
  running = [];
});

afterAll(() => pki.remove());

async function start(args: readonly string[]): Promise<WebhookProcess> {
  const webhook = await startWebhook(args);
  running.push(webhook);
  return webhook;
}

async function ask({ port }: WebhookProcess, tls?: ConnectionOptions, bytes = request): Promise<Answer> {
  const client = await Client.open(port, tls);
  client.send(bytes);
  const answer = await client.answer();
  client.close();
  return answer;
}

async function eventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await Bun.sleep(50);
}

/** Whether the server shows this certificate, by trusting no other. */
function isServing(webhook: WebhookProcess, { certPem }: ServingCertificate): Promise<boolean> {
  return ask(webhook, { ca: certPem }).then(
    ({ status }) => status === 200,
    () => false,
  );
}

const both = "must have either --cert-file and --key-file, or --plain-http";

test.each<[name: string, args: string[], words: string]>([
  ["no certificate", [], both],
  ["a certificate without key", ["--cert-file", "a"], both],
  ["a key without certificate", ["--key-file", "a"], both],
  ["a certificate for plain HTTP", ["--plain-http", "--cert-file", "a", "--key-file", "b"], both],
  ["client certificates over plain HTTP", ["--plain-http", "--client-ca-file", "a"], "Cannot use --client-ca-file"],
  ["names of no authority", ["--plain-http", "--client-name", "a"], "Cannot use --client-name"],
  ["a port that is none", ["--plain-http", "--port", "65536"], "must be an integer from 0 to 65535"],
  ["a drain that is no duration", ["--plain-http", "--drain", "5"], "must be a duration from 0s to 5m"],
])("webhook with %s is called wrongly, and is told so in one sentence", async (_, args, words) => {
  const outcome = await loadtest(["webhook", ...args]);
  expect(outcome).toMatchObject({ code: 2, out: "" });
  expect(outcome.err).toContain(words);
  expect(outcome.err.trim().split("\n").length).toBe(1);
});

test("a certificate that is missing or has another key, and a port that is taken, each end it with one sentence", async () => {
  await withCertificate(first, async (folder) => {
    const flags = certificateFlags(folder);
    const webhook = await start(flags);
    const { keyPem } = await newCertificate();
    writeFileSync(join(folder, "other.key"), keyPem);
    const cases: [args: string[], words: string][] = [
      [[...freePorts, "--cert-file", join(folder, "none"), "--key-file", join(folder, "tls.key")], "no such file"],
      [[...freePorts, ...flags, "--key-file", join(folder, "other.key")], "its private key is another one"],
      [[...freePorts, ...flags, "--client-ca-file", join(folder, "tls.key")], "there is no certificate"],
      [[...freePorts, ...flags, "--port", `${webhook.port}`], `"0.0.0.0:${webhook.port}": address in use`],
      [[...freePorts, ...flags, "--metrics-port", `${webhook.port}`], "address in use"],
      [[...freePorts, ...flags, "--host", "192.0.2.1"], '"192.0.2.1:0": no address of this machine'],
    ];
    for (const [args, words] of cases) {
      const { code, err } = await loadtest(["webhook", ...args, "--log-level", "error"]);
      expect({ args, code }).toEqual({ args, code: 1 });
      expect(err).toMatch(/^error: Cannot [^\n]*\n$/);
      expect(err).toContain(words);
    }
  });
});

test("it serves admission, health and metrics, and logs one line for its start and one for a denial", async () => {
  await withCertificate(first, async (folder) => {
    const webhook = await start(certificateFlags(folder));
    expect((await ask(webhook, { ca: first.certPem })).body).toContain('"uid":"b-1","allowed":true');
    const denied = await ask(webhook, { ca: first.certPem }, post("/validate", reviewText("b-2", { port: 0 })));
    expect(denied.body).toContain('"uid":"b-2","allowed":false');
    expect(await webhook.read("/healthz")).toEqual({ status: 200, text: "ok\n" });
    expect(await webhook.read("/readyz")).toEqual({ status: 200, text: "ok\n" });
    const { text } = await webhook.read("/metrics");
    const labels = 'path="/validate",kind="LoadTest",operation="CREATE"';
    expect(text).toContain(`loadtest_admission_reviews_total{${labels},allowed="false"} 1\n`);
    expect(text).toContain('loadtest_admission_certificates_total{outcome="used"} 1\n');
    await eventually(() => webhook.logged.length === 3);
    const words = webhook.logged.map(({ msg }) => msg);
    expect(words).toEqual(["serving certificate in use", "webhook started", "denied"]);
    const { port } = webhook;
    expect(webhook.logged[1]).toMatchObject({ component: "webhook", port, healthPort: expect.any(Number) as never });
    expect(webhook.logged[2]).toMatchObject({ kind: "LoadTest", namespace: "here", name: "my-loadtest", errors: 1 });
  });
});

test("without TLS it serves only when that is asked for", async () => {
  const webhook = await start(["--plain-http"]);
  expect(await ask(webhook)).toMatchObject({ status: 200 });
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s makes it unready, it serves on for a while, and ends well",
  async (signal) => {
    const webhook = await start(["--plain-http", "--drain", "1s"]);
    const [used, idle] = [await webhook.open(), await webhook.open()];
    used.send(request);
    expect((await used.answer()).headers["connection"]).toBe("keep-alive");
    webhook.kill(signal);
    await eventually(async () => (await webhook.read("/readyz")).status === 503);
    used.send(request);
    expect(await used.answer()).toMatchObject({ status: 200, headers: { connection: "close" } });
    await idle.ended();
    expect(await webhook.exited).toBe(0);
  },
);

test.each(["SIGTERM", "SIGINT"] as const)("a second signal, %s, ends it at once", async (signal) => {
  const webhook = await start(["--plain-http", "--drain", "5m"]);
  webhook.kill("SIGTERM");
  await eventually(() => webhook.logged.some(({ msg }) => msg === "webhook draining"));
  webhook.kill(signal);
  await webhook.exited;
  expect(webhook.endedBy).toBe(signal);
});

test("renamed files are used when both belong together, and until then the old ones", async () => {
  const [second, third] = await Promise.all([newCertificate(), newCertificate()]);
  await withCertificate(first, async (folder) => {
    const webhook = await start(certificateFlags(folder));
    const replace = (name: string, text: string) => {
      writeFileSync(join(folder, "new"), text);
      renameSync(join(folder, "new"), join(folder, name));
    };
    replace("tls.crt", second.certPem);
    await eventually(() => webhook.logged.some(({ msg }) => msg === "cannot use changed files"));
    expect(await isServing(webhook, first)).toBe(true);
    expect((await webhook.read("/metrics")).text).toContain('certificates_total{outcome="refused"} 1\n');
    replace("tls.crt", third.certPem);
    replace("tls.key", third.keyPem);
    await eventually(() => isServing(webhook, third));
  });
}, 60_000);

test("a mounted Secret that the kubelet swaps is used", async () => {
  const second = await newCertificate();
  await withCertificate(first, async (folder) => {
    for (const [name, { certPem, keyPem }] of Object.entries({ "..1": first, "..2": second })) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "tls.crt"), certPem);
      writeFileSync(join(folder, name, "tls.key"), keyPem);
    }
    symlinkSync("..1", join(folder, "..data"));
    for (const name of ["tls.crt", "tls.key"]) {
      rmSync(join(folder, name));
      symlinkSync(join("..data", name), join(folder, name));
    }
    const webhook = await start(certificateFlags(folder));
    expect(await isServing(webhook, first)).toBe(true);
    symlinkSync("..2", join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    rmSync(join(folder, "..1"), { recursive: true });
    await eventually(() => isServing(webhook, second));
    expect(webhook.logged.some(({ msg }) => msg === "cannot use changed files")).toBe(false);
  });
}, 60_000);

test("of the callers only those with certificate, name and token are answered, and a new token counts soon", async () => {
  const own = { certPem: pki.pem("server.crt"), keyPem: pki.pem("server.key") };
  const ca = pki.pem("ca.crt");
  const client = { ca, cert: pki.pem("client.crt"), key: pki.pem("client.key") };
  const withToken = (token: string) => post("/validate", reviewText("b-1"), { Authorization: `Bearer ${token}` });
  await withCertificate(own, async (folder) => {
    writeFileSync(join(folder, "ca.crt"), ca);
    writeFileSync(join(folder, "token"), "secret\n");
    const names = ["--client-name", "nobody", "client"];
    const webhook = await start([
      ...certificateFlags(folder),
      ...["--client-ca-file", join(folder, "ca.crt"), ...names, "--caller-token-file", join(folder, "token")],
    ]);
    expect(await ask(webhook, client, withToken("secret"))).toMatchObject({ status: 200 });
    expect(await ask(webhook, client)).toMatchObject({ status: 401 });
    expect(await ask(webhook, { ca }, withToken("secret"))).toMatchObject({ status: 401 });
    writeFileSync(join(folder, "token"), "changed");
    await eventually(async () => (await ask(webhook, client, withToken("changed"))).status === 200);
    expect(await ask(webhook, client, withToken("secret"))).toMatchObject({ status: 401 });
    expect((await webhook.read("/metrics")).text).toMatch(/refused_total\{reason="caller"\} [1-9]/);
  });
}, 60_000);
