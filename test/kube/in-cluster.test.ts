import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inClusterConnection, isInCluster } from "../../lib/kube/in-cluster.ts";
import { TestPki } from "./test-server.ts";

const pki = new TestPki();
const ca = pki.pem("ca.crt");
const { folder } = pki;
const variables = ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"] as const;
const before = variables.map((name) => process.env[name]);

beforeAll(() => {
  writeFileSync(join(folder, "token"), "one\n");
  writeFileSync(join(folder, "namespace"), "own\n");
  process.env["KUBERNETES_SERVICE_HOST"] = "10.0.0.1";
  process.env["KUBERNETES_SERVICE_PORT"] = "443";
});

afterAll(() => {
  pki.remove();
  for (const [index, name] of variables.entries()) {
    if (before[index] === undefined) delete process.env[name];
    else process.env[name] = before[index];
  }
});

test("a Pod reaches its cluster by the service account in its folder", async () => {
  const connection = await inClusterConnection(undefined, folder);
  expect(connection).toMatchObject({ serverUrl: "https://10.0.0.1:443", namespace: "own" });
  expect(await connection.credentials.current()).toEqual({
    tls: { ca },
    headers: { Authorization: "Bearer one" },
  });
  expect((await inClusterConnection("asked", folder)).namespace).toBe("asked");
});

test("an IPv6 address stands in brackets", async () => {
  process.env["KUBERNETES_SERVICE_HOST"] = "fd00::1";
  expect((await inClusterConnection(undefined, folder)).serverUrl).toBe("https://[fd00::1]:443");
});

test("a rejected token is read again, with the same TLS object", async () => {
  const { credentials } = await inClusterConnection(undefined, folder);
  const first = await credentials.current();
  expect(await credentials.current()).toBe(first);
  writeFileSync(join(folder, "token"), "two");
  expect(await credentials.current()).toBe(first);
  const second = await credentials.replacementFor(first);
  expect(second.headers["Authorization"]).toBe("Bearer two");
  expect(second.tls).toBe(first.tls);
});

test("a folder without a token is no Pod", () => {
  expect(isInCluster(folder)).toBe(true);
  expect(isInCluster(join(folder, "none"))).toBe(false);
});
