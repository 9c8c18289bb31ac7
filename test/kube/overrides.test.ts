// What flags change in a kubeconfig's entries, and which entries they choose, by kubectl's rules.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, loadConnection } from "../../lib/kube/kubeconfig.ts";
import { type EntryOverrides, withClusterOverrides, withUserOverrides } from "../../lib/kube/overrides.ts";

const cluster = {
  server: "https://a",
  "certificate-authority-data": "data",
  "certificate-authority": "file",
  "tls-server-name": "own",
};
const user = { token: "t", tokenFile: "f", "client-certificate-data": "c", "client-key-data": "k", username: "u" };

describe("a cluster", () => {
  test.each<[string, EntryOverrides, object]>([
    ["nothing", {}, cluster],
    [
      "another server, which has no name of its own",
      { server: "https://b" },
      without(cluster, "tls-server-name", { server: "https://b" }),
    ],
    ["another name", { tlsServerName: "n" }, { ...cluster, "tls-server-name": "n" }],
    [
      "another server and a name",
      { server: "https://b", tlsServerName: "n" },
      { ...cluster, server: "https://b", "tls-server-name": "n" },
    ],
    [
      "an authority in place of data",
      { certificateAuthority: "ca" },
      without(cluster, "certificate-authority-data", { "certificate-authority": "ca" }),
    ],
    [
      "no check, for which there is no authority",
      { insecureSkipTlsVerify: true },
      { server: "https://a", "tls-server-name": "own", "insecure-skip-tls-verify": true },
    ],
  ])("%s", (_, overrides, expected) => {
    expect<object | undefined>(withClusterOverrides(cluster, overrides)).toEqual(expected);
  });

  test("is made of a server alone, and of nothing else", () => {
    expect(withClusterOverrides(undefined, { server: "https://b" })).toEqual({ server: "https://b" });
    expect(withClusterOverrides(undefined, { tlsServerName: "n" })).toBeUndefined();
  });
});

describe("a user", () => {
  test.each<[string, EntryOverrides, object]>([
    ["nothing", {}, user],
    [
      "a token, in place of all others but the certificate",
      { token: "x" },
      { token: "x", "client-certificate-data": "c", "client-key-data": "k" },
    ],
    [
      "a certificate in place of data",
      { clientCertificate: "cf", clientKey: "kf" },
      { token: "t", tokenFile: "f", username: "u", "client-certificate": "cf", "client-key": "kf" },
    ],
    [
      "somebody else",
      { as: "me", asUid: "1", asGroups: ["g"] },
      { ...user, as: "me", "as-uid": "1", "as-groups": ["g"] },
    ],
  ])("%s", (_, overrides, expected) => {
    expect<object>(withUserOverrides(user, overrides)).toEqual(expected);
  });
});

describe("entries", () => {
  const folder = mkdtempSync(join(tmpdir(), "overrides-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const kubeconfig = join(folder, "config");
  const clusters = ["a", "b"].map((name) => ({ name, cluster: { server: `https://${name}` } }));
  const users = ["a", "b"].map((name) => ({ name, user: { token: name } }));
  const contexts = [{ name: "a", context: { cluster: "a", user: "a", namespace: "n" } }];
  writeFileSync(kubeconfig, JSON.stringify({ "current-context": "a", clusters, users, contexts }));
  const noContext = join(folder, "no-context");
  writeFileSync(noContext, JSON.stringify({ clusters, users, contexts }));
  const seen = async (options: ConnectionOptions) => {
    const { serverUrl, namespace, credentials } = await loadConnection({ kubeconfig, ...options });
    return [serverUrl, namespace, (await credentials.current()).headers["Authorization"]];
  };

  test.each<[ConnectionOptions, (string | undefined)[]]>([
    [{}, ["https://a", "n", "Bearer a"]],
    [{ cluster: "b" }, ["https://b", "n", "Bearer a"]],
    [{ user: "b" }, ["https://a", "n", "Bearer b"]],
    [{ cluster: "b", user: "b", namespace: "m" }, ["https://b", "m", "Bearer b"]],
    [{ server: "https://c", token: "c" }, ["https://c", "n", "Bearer c"]],
    [{ kubeconfig: noContext, cluster: "b", user: "b" }, ["https://b", "default", "Bearer b"]],
    [{ kubeconfig: noContext, server: "https://c" }, ["https://c", "default", undefined]],
  ])("%j", async (options, expected) => {
    expect(await seen(options)).toEqual(expected);
  });

  test.each<[ConnectionOptions, string]>([
    [{ cluster: "x" }, 'cluster "x" must be in clusters'],
    [{ cluster: "x", server: "https://c" }, 'cluster "x" must be in clusters'],
    [{ user: "x" }, 'user "x" must be in users'],
    [{ kubeconfig: noContext, user: "b" }, "current-context is not set"],
    [{ context: "x", server: "https://c" }, 'Cannot use context "x"'],
  ])("%j is refused", async (options, words) => {
    await expect(seen(options)).rejects.toThrow(words);
  });

  test("a limit for each answer comes along", async () => {
    expect((await loadConnection({ kubeconfig, requestTimeoutMs: 5 })).requestTimeoutMs).toBe(5);
  });
});

function without(entry: object, field: string, changes: object): object {
  return Object.fromEntries(Object.entries({ ...entry, ...changes }).filter(([name]) => name !== field));
}
