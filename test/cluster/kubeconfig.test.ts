// Kubeconfigs beside kubectl: for each, the same request reaches the server, or neither's does. What kubectl can and we
// refuse is refused in words.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { HttpKubeClient } from "../../lib/kube/http-client.ts";
import { type ConnectionOptions, loadConnection } from "../../lib/kube/kubeconfig.ts";
import { TestPki } from "../kube/test-server.ts";
import { kubeconfig as clusterKubeconfig, kubectlBinary } from "./kubectl.ts";
import { type Asked, ObservingServer } from "./observing-server.ts";

const pki = new TestPki();
const ca = { "certificate-authority-data": pki.base64("ca.crt") };
/** Where a client certificate is asked for. */
const mutual = { server: "https://localhost:MUTUAL" };
const noCa = { "certificate-authority-data": undefined };
const clientData = { "client-certificate-data": pki.base64("client.crt"), "client-key-data": pki.base64("client.key") };

interface Case {
  /** Files of the folder that the kubeconfigs are in; those named config* make up $KUBECONFIG, in this order. */
  files: Record<string, unknown>;
  flags?: ConnectionOptions;
  /** What of the request the case is about; "no request"; or what our refusal says of what kubectl does. */
  wanted: Partial<Asked> | "no request" | { refusal: string };
}

/** One context, `here`. */
const config = (user: object, cluster: object = {}, context: object = {}) => ({
  "current-context": "here",
  clusters: [{ name: "c", cluster: { server: "https://localhost:HTTPS", ...ca, ...cluster } }],
  users: [{ name: "u", user }],
  contexts: [{ name: "here", context: { cluster: "c", user: "u", ...context } }],
});
const one = (user: object, wanted: Case["wanted"], cluster: object = {}, more: Record<string, unknown> = {}): Case => ({
  files: { config: config(user, cluster), ...more },
  wanted,
});
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const nobody = { headers: {} };

const apiVersion = "client.authentication.k8s.io/v1";
const exec = (
  status: object | string,
  more: object = {},
  asked = apiVersion,
  wanted: Case["wanted"] = bearer("t"),
  cluster = {},
): Case => {
  const credential = { kind: "ExecCredential", apiVersion: asked, status };
  const script = typeof status === "string" ? status : `cat <<'END'\n${JSON.stringify(credential)}\nEND`;
  const plugin = { apiVersion, command: "./plugin", interactiveMode: "Never", ...more };
  return one({ exec: plugin }, wanted, cluster, { plugin: `#!/bin/sh\n${script}\n` });
};
const execJson = (token: string) =>
  `echo '{"kind":"ExecCredential","apiVersion":"${apiVersion}","status":{"token":"'${token}'"}}'`;

function jwt(expiresAtSeconds: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part({ exp: expiresAtSeconds })}.signature`;
}
const oidc = (token: string) => ({
  "auth-provider": {
    name: "oidc",
    config: { "id-token": token, "client-id": "c", "idp-issuer-url": "https://localhost:1" },
  },
});
const lasting = jwt(Date.now() / 1000 + 3600);

const cases: Record<string, Case> = {
  "a token": one({ token: "t" }, bearer("t")),
  "basic authentication": one({ username: "a", password: "b" }, { headers: { authorization: `Basic ${btoa("a:b")}` } }),
  "a token file": one({ tokenFile: "token" }, bearer("f"), {}, { token: "f\n" }),
  "a token file beside a token": one({ tokenFile: "token", token: "t" }, bearer("f"), {}, { token: "f" }),
  "a token file that is missing": one({ tokenFile: "gone" }, "no request"),
  "a client certificate": one(clientData, { hasCertificate: true, headers: {} }, mutual),
  "a client certificate in files": one(
    { "client-certificate": "client.crt", "client-key": "client.key" },
    { hasCertificate: true },
    mutual,
    { "client.crt": pki.pem("client.crt"), "client.key": pki.pem("client.key") },
  ),
  "a client certificate and a token": one(
    { ...clientData, token: "t" },
    { hasCertificate: true, ...bearer("t") },
    mutual,
  ),
  "no client certificate where one is wanted": one({ token: "t" }, "no request", mutual),
  "a client certificate without its key": one({ "client-certificate-data": pki.base64("client.crt") }, "no request"),
  "another's key": one({ ...clientData, "client-key-data": pki.base64("other.key") }, "no request"),
  "exec v1": exec({ token: "t" }),
  "exec v1beta1": exec({ token: "t" }, { apiVersion: `${apiVersion}beta1` }, `${apiVersion}beta1`),
  "exec v1alpha1": exec({ token: "t" }, { apiVersion: `${apiVersion}alpha1` }, `${apiVersion}alpha1`, "no request"),
  "exec of another version than asked for": exec({ token: "t" }, {}, `${apiVersion}beta1`, "no request"),
  "exec with a client certificate": exec(
    { clientCertificateData: pki.pem("client.crt"), clientKeyData: pki.pem("client.key") },
    {},
    apiVersion,
    { hasCertificate: true },
    mutual,
  ),
  "exec with arguments and environment": exec(
    execJson("$1$WHO"),
    { args: ["a"], env: [{ name: "WHO", value: "b" }] },
    apiVersion,
    bearer("ab"),
  ),
  "exec that is told of the cluster": exec(
    execJson(`$(echo "$KUBERNETES_EXEC_INFO" | grep -c localhost)`),
    { provideClusterInfo: true },
    apiVersion,
    bearer("1"),
  ),
  "exec that fails": exec("exit 1", {}, apiVersion, "no request"),
  "exec that says nothing": exec("true", {}, apiVersion, "no request"),
  "exec without credentials": exec({}, {}, apiVersion, "no request"),
  "exec v1 without interactiveMode": exec({ token: "t" }, { interactiveMode: undefined }, apiVersion, "no request"),
  "exec that must ask somebody": exec({ token: "t" }, { interactiveMode: "Always" }, apiVersion, "no request"),
  "a token beside exec": {
    ...exec({ token: "t" }),
    files: {
      config: config({ token: "own", exec: { apiVersion, command: "./plugin", interactiveMode: "Never" } }),
      plugin: `#!/bin/sh\n${execJson("t")}\n`,
    },
    wanted: bearer("own"),
  },
  "OIDC with an id-token": one(oidc(lasting), bearer(lasting)),
  "OIDC with an id-token that has run out": one(oidc(jwt(1)), "no request"),
  "a retired auth-provider": one({ "auth-provider": { name: "gcp", config: {} } }, "no request"),
  impersonation: one({ token: "t", as: "eve" }, { headers: { ...bearer("t").headers, "impersonate-user": "eve" } }),
  "impersonation with a group and a uid": one(
    { token: "t", as: "eve", "as-groups": ["g"], "as-uid": "1" },
    {
      headers: { ...bearer("t").headers, "impersonate-user": "eve", "impersonate-group": "g", "impersonate-uid": "1" },
    },
  ),
  "impersonation with two groups": one(
    { token: "t", as: "eve", "as-groups": ["g", "h"] },
    { refusal: "2 as-groups, must be at most one" },
  ),
  "impersonation with extra fields": one(
    { token: "t", as: "eve", "as-user-extra": { a: ["b"] } },
    { refusal: "as-user-extra, must be absent" },
  ),
  "groups of nobody": one({ token: "t", "as-groups": ["g"] }, "no request"),
  "a certificate authority in a file": one({ token: "t" }, bearer("t"), {
    ...noCa,
    "certificate-authority": join(pki.folder, "ca.crt"),
  }),
  "a certificate authority in a file beside the kubeconfig": one(
    { token: "t" },
    bearer("t"),
    { ...noCa, "certificate-authority": "sub/ca.crt" },
    { "sub/ca.crt": pki.pem("ca.crt") },
  ),
  "another certificate authority": one({ token: "t" }, "no request", {
    "certificate-authority-data": pki.base64("other.crt"),
  }),
  "no certificate authority": one({ token: "t" }, "no request", noCa),
  "insecure-skip-tls-verify": one({ token: "t" }, bearer("t"), {
    ...noCa,
    "insecure-skip-tls-verify": true,
  }),
  "insecure-skip-tls-verify beside an authority": one({ token: "t" }, "no request", {
    "insecure-skip-tls-verify": true,
  }),
  "tls-server-name": one({ token: "t" }, bearer("t"), {
    server: "https://localhost:NAMED",
    "tls-server-name": "kube.example",
  }),
  "a wrong tls-server-name": one({ token: "t" }, "no request", { "tls-server-name": "kube.example" }),
  "a certificate for another name": one({ token: "t" }, "no request", { server: "https://localhost:NAMED" }),
  "an IPv6 address": one({ token: "t" }, bearer("t"), { server: "https://[::1]:IPV6", "tls-server-name": "localhost" }),
  "an IPv4 address": one({ token: "t" }, bearer("t"), {
    server: "https://127.0.0.1:HTTPS",
    "tls-server-name": "localhost",
  }),
  "a path before the API's": one(
    { token: "t" },
    { path: "/clusters/a/version" },
    { server: "https://localhost:HTTPS/clusters/a" },
  ),
  "a slash at the end": one({ token: "t" }, { path: "/version" }, { server: "https://localhost:HTTPS/" }),
  "plain http, over which nobody sends a token": one(
    { token: "t", as: "eve" },
    { headers: { "impersonate-user": "eve" } },
    {
      server: "http://localhost:HTTP",
      ...noCa,
    },
  ),
  "a server without a scheme": one({ token: "t" }, "no request", { server: "localhost:HTTPS" }),
  "an http proxy": one({ token: "t" }, { proxied: "by nobody" }, { "proxy-url": "http://localhost:PROXYPLAIN" }),
  "an http proxy with credentials": one(
    { token: "t" },
    { proxied: `Basic ${btoa("me:pass")}`, ...bearer("t") },
    { "proxy-url": "http://me:pass@localhost:PROXYPLAIN" },
  ),
  "an https proxy": one({ token: "t" }, { proxied: "by nobody" }, { "proxy-url": "https://localhost:PROXYTLS" }),
  "a proxy and a client certificate": one(
    clientData,
    { proxied: "by nobody", hasCertificate: true },
    { ...mutual, "proxy-url": "http://localhost:PROXYPLAIN" },
  ),
  "a proxy that is not there": one({ token: "t" }, "no request", { "proxy-url": "http://localhost:1" }),
  "a SOCKS proxy": one({ token: "t" }, "no request", { "proxy-url": "socks5://localhost:1" }),
  "a proxy of an unknown kind": one({ token: "t" }, "no request", { "proxy-url": "ftp://localhost:PROXYPLAIN" }),
  "a context with a namespace": {
    files: { config: config({ token: "t" }, {}, { namespace: "there" }) },
    wanted: bearer("t"),
  },
  "a context without a user, over plain http": {
    files: { config: config({ token: "t" }, { server: "http://localhost:HTTP", ...noCa }, { user: undefined }) },
    wanted: nobody,
  },
  "a context with an unknown user": { files: { config: config({}, {}, { user: "x" }) }, wanted: "no request" },
  "a context with an unknown cluster": { files: { config: config({}, {}, { cluster: "x" }) }, wanted: "no request" },
  "no current context": { files: { config: { ...config({}), "current-context": "" } }, wanted: "no request" },
  "an unknown context": { ...one({ token: "t" }, "no request"), flags: { context: "nowhere" } },
  "another context than the current one": {
    files: {
      config: {
        ...config({ token: "t" }),
        "current-context": "gone",
        contexts: [{ name: "there", context: { cluster: "c", user: "u" } }],
      },
    },
    flags: { context: "there" },
    wanted: bearer("t"),
  },
  "two files, both with the entry": {
    files: { config1: config({ token: "first" }), config2: config({ token: "second" }) },
    wanted: bearer("first"),
  },
  "two files that need each other": {
    files: {
      config1: { contexts: [{ name: "here", context: { cluster: "c", user: "u", namespace: "n" } }] },
      config2: { ...config({ token: "t" }), contexts: null },
    },
    wanted: bearer("t"),
  },
  "two files, and the current context of the first": {
    files: {
      config1: { "current-context": "here" },
      config2: { ...config({ token: "t" }), "current-context": "gone" },
    },
    wanted: bearer("t"),
  },
  "paths in a file of another folder": {
    files: { config1: {}, "sub/config2": config({ tokenFile: "token" }), "sub/token": "f", token: "wrong" },
    wanted: bearer("f"),
  },
  "an entry twice in one file": {
    files: { config: { ...config({}), users: [...config({ token: "1" }).users, ...config({ token: "2" }).users] } },
    wanted: "no request",
  },
  "nulls for what is absent": {
    files: { config: { ...config({ token: "t", exec: null, "as-groups": null }), preferences: null } },
    wanted: bearer("t"),
  },
  "fields that nobody knows": {
    files: { config: { ...config({ token: "t", future: 1 }), x: 2 } },
    wanted: bearer("t"),
  },
  "no YAML": { files: { config: "a: b: c" }, wanted: "no request" },
};

describe.skipIf(clusterKubeconfig === "")("kubeconfigs as kubectl reads them", () => {
  let server: ObservingServer;
  let folder: string;

  beforeAll(async () => {
    server = await ObservingServer.start(pki);
  });
  afterAll(() => {
    server.stop();
    pki.remove();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "kubeconfigs-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** Writes the files; returns $KUBECONFIG. */
  function write(files: Case["files"]): string {
    const { https, mutual, named, http, ipv6, httpProxy, httpsProxy } = server.ports;
    const ports = {
      PROXYPLAIN: httpProxy,
      PROXYTLS: httpsProxy,
      HTTPS: https,
      MUTUAL: mutual,
      NAMED: named,
      IPV6: ipv6,
      HTTP: http,
    };
    for (const [file, content] of Object.entries(files)) {
      let text = typeof content === "string" ? content : JSON.stringify(content);
      for (const [word, port] of Object.entries(ports)) text = text.replaceAll(`:${word}`, `:${port}`);
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
      if (file === "plugin") chmodSync(join(folder, file), 0o755);
    }
    const configs = Object.keys(files).filter((file) => /(^|\/)config\d?$/.test(file));
    return configs.map((file) => join(folder, file)).join(":");
  }

  async function kubectlOutcome(list: string, { context }: ConnectionOptions): Promise<Asked | "no request"> {
    const flags = context === undefined ? [] : ["--context", context];
    const env = { ...process.env, KUBECONFIG: list };
    const child = Bun.spawn([kubectlBinary, "get", "--raw", "/version", ...flags], { env, timeout: 10_000 });
    await child.exited;
    return server.asked.splice(0).at(-1) ?? "no request";
  }

  async function ownOutcome(
    list: string,
    flags: ConnectionOptions,
  ): Promise<Asked | "no request" | { refusal: string }> {
    const before = process.env["KUBECONFIG"];
    process.env["KUBECONFIG"] = list;
    try {
      await new HttpKubeClient(await loadConnection(flags)).raw("/version", { timeoutMs: 10_000 });
    } catch (error: unknown) {
      const words: string[] = [];
      for (let cause = error; cause instanceof Error; cause = cause.cause) words.push(cause.message);
      if (server.asked.length === 0) return { refusal: words.join(": ") };
    } finally {
      process.env["KUBECONFIG"] = before;
    }
    return server.asked.splice(0).at(-1) ?? "no request";
  }

  test.each(Object.entries(cases))("%s", async (_, { files, flags = {}, wanted }) => {
    const list = write(files);
    const theirs = await kubectlOutcome(list, flags);
    const ours = await ownOutcome(list, flags);
    if (wanted === "no request") {
      expect(theirs).toBe("no request");
      expect(ours).toEqual({ refusal: expect.stringMatching(/^Cannot /) as never });
    } else if ("refusal" in wanted) {
      expect(theirs).not.toBe("no request");
      expect(ours).toEqual({ refusal: expect.stringContaining(wanted.refusal) as never });
    } else {
      expect(theirs).toMatchObject(wanted);
      expect(ours).toEqual(theirs);
    }
  });

  test("the namespace is kubectl's", async () => {
    for (const namespace of ["there", undefined]) {
      const list = write({ config: config({}, {}, { namespace }) });
      const view = ["config", "view", "--minify", "-o", "jsonpath={.contexts[0].context.namespace}"];
      const child = Bun.spawn([kubectlBinary, "--kubeconfig", list, ...view], { stdout: "pipe" });
      const theirs = (await child.stdout.text()) || "default";
      expect((await loadConnection({ kubeconfig: list })).namespace).toBe(theirs);
    }
  });
});
