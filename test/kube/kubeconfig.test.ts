import { afterAll, afterEach, beforeEach, expect, setSystemTime, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Credentials } from "../../lib/kube/credentials.ts";
import { HttpKubeClient } from "../../lib/kube/http-client.ts";
import { type ConnectionOptions, loadConnection } from "../../lib/kube/kubeconfig.ts";
import { TestPki } from "./test-server.ts";

const pki = new TestPki();
const ca = pki.pem("ca.crt");
const variables = ["KUBECONFIG", "HOME", "KUBERNETES_SERVICE_HOST"] as const;
const before = variables.map((name) => process.env[name]);
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubeconfig-"));
  process.env["HOME"] = folder;
  delete process.env["KUBECONFIG"];
  delete process.env["KUBERNETES_SERVICE_HOST"];
});

afterEach(() => {
  setSystemTime();
  rmSync(folder, { recursive: true });
});

afterAll(() => {
  pki.remove();
  for (const [index, name] of variables.entries()) {
    if (before[index] === undefined) delete process.env[name];
    else process.env[name] = before[index];
  }
});

/** Writes a file of this test's folder; an object as JSON, which is YAML. */
function write(file: string, content: unknown): string {
  const path = join(folder, file);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

/** A kubeconfig with one context, `here`. */
function kubeconfig(user: object, cluster: object = {}, context: object = {}): object {
  return {
    "current-context": "here",
    clusters: [{ name: "c", cluster: { server: "https://localhost:1", ...cluster } }],
    users: [{ name: "u", user }],
    contexts: [{ name: "here", context: { cluster: "c", user: "u", ...context } }],
  };
}

/** YAML of a few lines that stands for ten million words. */
function aliasBomb(): string {
  const lines = [`a0: &a0 [${Array(10).fill("x").join(", ")}]`];
  for (let at = 1; at < 7; at++)
    lines.push(
      `a${at}: &a${at} [${Array(10)
        .fill(`*a${at - 1}`)
        .join(", ")}]`,
    );
  return lines.join("\n");
}

async function credentialsOf(user: object, cluster: object = {}): Promise<Credentials> {
  const connection = await loadConnection({ kubeconfig: write("config", kubeconfig(user, cluster)) });
  return connection.credentials.current();
}

/** The message of the failure with those of its causes, as the command line prints it. */
async function failureOf(promise: Promise<unknown>): Promise<string> {
  let error: unknown = await promise.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  const messages: string[] = [];
  for (; error instanceof Error; error = error.cause) messages.push(error.message);
  return messages.join(": ");
}

test("$KUBECONFIG may name several files: the first with an entry wins with the whole entry", async () => {
  const first = write("first", {
    contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "first" } }],
    users: [{ name: "u", user: { token: "first" } }],
  });
  const second = write("second", {
    "current-context": "x",
    clusters: [{ name: "c", cluster: { server: "https://second:6443/" } }],
    users: [{ name: "u", user: { token: "second", as: "somebody" } }],
    contexts: [{ name: "x", context: { cluster: "c", namespace: "second" } }],
  });
  const third = write("third", { "current-context": "y" });
  process.env["KUBECONFIG"] = [join(folder, "missing"), first, "", second, third].join(":");
  const connection = await loadConnection({});
  expect(connection).toMatchObject({ serverUrl: "https://second:6443", namespace: "first" });
  expect((await connection.credentials.current()).headers).toEqual({ Authorization: "Bearer first" });
});

test("--kubeconfig wins over $KUBECONFIG, and that over ~/.kube/config", async () => {
  mkdirSync(join(folder, ".kube"));
  write(".kube/config", kubeconfig({}, { server: "https://home" }));
  expect((await loadConnection({})).serverUrl).toBe("https://home");
  process.env["KUBECONFIG"] = write("env", kubeconfig({}, { server: "https://env" }));
  expect((await loadConnection({})).serverUrl).toBe("https://env");
  const flag = write("flag", kubeconfig({}, { server: "https://flag" }));
  expect((await loadConnection({ kubeconfig: flag })).serverUrl).toBe("https://flag");
});

test("--context and --namespace win over what the kubeconfig says", async () => {
  const file = write("config", {
    ...kubeconfig({}),
    contexts: [
      { name: "here", context: { cluster: "c", namespace: "n" } },
      { name: "there", context: { cluster: "c", namespace: "m" } },
      { name: "bare", context: { cluster: "c" } },
    ],
  });
  const namespaceOf = async (options: ConnectionOptions) =>
    (await loadConnection({ kubeconfig: file, ...options })).namespace;
  expect(await namespaceOf({})).toBe("n");
  expect(await namespaceOf({ context: "there" })).toBe("m");
  expect(await namespaceOf({ context: "bare" })).toBe("default");
  expect(await namespaceOf({ context: "there", namespace: "asked" })).toBe("asked");
});

test("relative paths start at the file they stand in", async () => {
  mkdirSync(join(folder, "sub"));
  for (const name of ["ca.crt", "client.crt", "client.key"]) write(`sub/${name}`, pki.pem(name));
  const user = { "client-certificate": "client.crt", "client-key": "client.key", tokenFile: "token" };
  write("sub/token", "secret\n");
  const file = write("sub/config", kubeconfig(user, { "certificate-authority": "ca.crt" }));
  expect(await (await loadConnection({ kubeconfig: file })).credentials.current()).toEqual({
    tls: { ca, cert: pki.pem("client.crt"), key: pki.pem("client.key") },
    headers: { Authorization: "Bearer secret" },
  });
});

test("a client certificate is what a server that wants one sees", async () => {
  const server = Bun.serve({
    port: 0,
    tls: {
      cert: pki.pem("server.crt"),
      key: pki.pem("server.key"),
      ca,
      requestCert: true,
      rejectUnauthorized: true,
    },
    fetch: () => new Response("welcome"),
  });
  const cluster = { server: `https://localhost:${server.port}`, "certificate-authority-data": pki.base64("ca.crt") };
  const user = { "client-certificate-data": pki.base64("client.crt"), "client-key-data": pki.base64("client.key") };
  const clientOf = async (who: object) =>
    new HttpKubeClient(await loadConnection({ kubeconfig: write("config", kubeconfig(who, cluster)) }));
  expect(await (await clientOf(user)).raw("/version")).toBe("welcome");
  const stranger = { "client-certificate-data": pki.base64("other.crt"), "client-key-data": pki.base64("other.key") };
  await expect((await clientOf(stranger)).raw("/version")).rejects.toThrow("Cannot GET /version");
  await server.stop(true);
});

test("data in the kubeconfig wins over a file it names", async () => {
  const cluster = { "certificate-authority": "missing.crt", "certificate-authority-data": pki.base64("ca.crt") };
  expect((await credentialsOf({}, cluster)).tls).toEqual({ ca });
});

test.each([
  ["a token", { token: "t" }, {}, { Authorization: "Bearer t" }],
  ["basic authentication", { username: "a", password: "b" }, {}, { Authorization: `Basic ${btoa("a:b")}` }],
  [
    "impersonation",
    { token: "t", as: "eve", "as-uid": "1", "as-groups": ["g"] },
    {},
    { Authorization: "Bearer t", "Impersonate-User": "eve", "Impersonate-Uid": "1", "Impersonate-Group": "g" },
  ],
  ["nobody", {}, {}, {}],
  [
    "plain http, with all that may be seen,",
    { token: "t", as: "eve" },
    { server: "http://localhost:8080" },
    { "Impersonate-User": "eve" },
  ],
])("%s becomes headers", async (_, user, cluster, headers) => {
  expect((await credentialsOf(user, cluster)).headers).toEqual(headers);
});

test("insecure-skip-tls-verify and tls-server-name become TLS options", async () => {
  expect((await credentialsOf({}, { "insecure-skip-tls-verify": true })).tls).toEqual({ rejectUnauthorized: false });
  expect((await credentialsOf({}, { "tls-server-name": "kube.example" })).tls).toEqual({ serverName: "kube.example" });
});

test("an http proxy is part of the connection", async () => {
  const file = write("config", kubeconfig({}, { "proxy-url": "http://proxy:3128" }));
  expect((await loadConnection({ kubeconfig: file })).proxyUrl).toBe("http://proxy:3128");
});

test("null is as good as absent, as kubectl writes it", async () => {
  const file = write("config", {
    ...kubeconfig({ token: "t", exec: null, "as-groups": null }, { extensions: null }),
    preferences: null,
  });
  expect((await loadConnection({ kubeconfig: file })).namespace).toBe("default");
});

test("a token file is read again each minute, and wins over a token", async () => {
  const tokenFile = write("token", "one");
  setSystemTime(1_000_000);
  const file = write("config", kubeconfig({ tokenFile, token: "never" }));
  const { credentials } = await loadConnection({ kubeconfig: file });
  const header = async () => (await credentials.current()).headers["Authorization"];
  expect(await header()).toBe("Bearer one");
  write("token", "two\n");
  expect(await header()).toBe("Bearer one");
  setSystemTime(1_060_000);
  expect(await header()).toBe("Bearer two");
});

function jwt(expiresAtSeconds: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part({ exp: expiresAtSeconds })}.signature`;
}

test("an OIDC id-token is used until it runs out, which is then said", async () => {
  const provider = (token: string) => ({
    "auth-provider": {
      name: "oidc",
      config: {
        "id-token": token,
        "refresh-token": "secret",
        "client-id": "c",
        "idp-issuer-url": "https://localhost:1",
      },
    },
  });
  const good = jwt(Date.now() / 1000 + 3600);
  expect((await credentialsOf(provider(good))).headers).toEqual({ Authorization: `Bearer ${good}` });
  expect(await failureOf(credentialsOf(provider(jwt(1))))).toContain("id-token has run out");
  const failure = await failureOf(credentialsOf(provider("secret-junk")));
  expect(failure).toContain("no JWT");
  expect(failure).not.toContain("secret-junk");
});

test.each([
  ["an unknown context", kubeconfig({}), { context: "nowhere" }, 'must be one of "here"'],
  ["no current context", { ...kubeconfig({}), "current-context": "" }, {}, "current-context is not set"],
  ["an empty file", "", {}, "current-context is not set"],
  ["an absent cluster", { ...kubeconfig({}), clusters: null }, {}, 'cluster "c" must be in clusters'],
  [
    "an entry that is there twice",
    { ...kubeconfig({}), users: [{ name: "u" }, { name: "u" }] },
    {},
    '"u" is there twice',
  ],
  ["an absent user", { ...kubeconfig({}), users: [] }, {}, 'user "u" must be in users'],
  ["malformed YAML", "a: b: c\ntoken: secret", {}, "in line 1, must be YAML"],
  ["a list", "- a", {}, "the document must be object"],
  ["an alias of nothing", "clusters: *secret", {}, "must be YAML"],
  ["aliases that expand without bound", aliasBomb(), {}, "aliases do not resolve or expand too far"],
  [
    "a scheme that is none",
    kubeconfig({}, { server: "secret-host:6443" }),
    {},
    "/clusters/0/cluster/server must match",
  ],
  ["a wrong type", kubeconfig({ token: 7 }), {}, "/users/0/user/token must be string"],
])("%s is one clear message with the file's name", async (_, content, options, words) => {
  const file = write("config", content);
  const failure = await failureOf(loadConnection({ kubeconfig: file, ...options }));
  expect(failure).toContain(words);
  expect(failure).toContain(file);
  expect(failure).not.toContain("secret");
});

test("a missing file is named, given by a flag or searched for", async () => {
  const missing = join(folder, "missing");
  expect(await failureOf(loadConnection({ kubeconfig: missing }))).toBe(`Cannot read "${missing}": no such file`);
  expect(await failureOf(loadConnection({}))).toContain(join(folder, ".kube", "config"));
});

test.each([
  ["several groups", { as: "eve", "as-groups": ["a", "b"] }, {}, "2 as-groups, must be at most one"],
  ["groups of nobody", { "as-groups": ["a"] }, {}, "must have as, too"],
  ["extra fields", { as: "eve", "as-user-extra": { a: ["b"] } }, {}, "as-user-extra"],
  ["a retired auth-provider", { "auth-provider": { name: "gcp" } }, {}, '"gcp", must be "oidc" or an exec plugin'],
  ["a SOCKS proxy", {}, { "proxy-url": "socks5://me:secret@host:1080" }, '"socks5", must be http or https'],
  [
    "a certificate authority that is not to be used",
    {},
    { "certificate-authority-data": pki.base64("ca.crt"), "insecure-skip-tls-verify": true },
    "must be only one of them",
  ],
])("%s: refused before anything is sent", async (_, user, cluster, words) => {
  const failure = await failureOf(loadConnection({ kubeconfig: write("config", kubeconfig(user, cluster)) }));
  expect(failure).toContain(words);
  expect(failure).not.toContain("secret");
});

test.each([
  ["a certificate authority that is none", {}, { "certificate-authority-data": btoa("secret") }, "must be PEM"],
  ["a missing certificate file", { "client-certificate": "gone.crt", "client-key": "gone.key" }, {}, "gone.crt"],
  ["a certificate without its key", { "client-certificate-data": pki.base64("client.crt") }, {}, "key is missing"],
  [
    "another's key",
    { "client-certificate-data": pki.base64("client.crt"), "client-key-data": pki.base64("other.key") },
    {},
    "does not belong to the client certificate",
  ],
  ["a missing token file", { tokenFile: "gone" }, {}, 'gone": no such file'],
])("%s is named with its user and cluster", async (_, user, cluster, words) => {
  const failure = await failureOf(credentialsOf(user, cluster));
  expect(failure).toContain(words);
  expect(failure).toContain('Cannot use user "u" with cluster "c"');
  expect(failure).not.toContain("secret");
});
