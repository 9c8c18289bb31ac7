// The client against a real API server: what a model of one would only repeat back to us.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ApiError, isAlreadyExists, isConflict, isForbidden, isNotFound } from "../../lib/kube/api-error.ts";
import type { Connection } from "../../lib/kube/connection.ts";
import { CredentialSource } from "../../lib/kube/credentials.ts";
import { HttpKubeClient } from "../../lib/kube/http-client.ts";
import { loadConnection } from "../../lib/kube/kubeconfig.ts";
import { clusterResource, namespacedResource, pods } from "../../lib/kube/resource.ts";
import type { KubeObject } from "../../lib/plan/objects.ts";
import { eventually, kubeconfig, kubectl } from "./kubectl.ts";

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

const namespace = "kube-client-test";
const configMaps = namespacedResource<ConfigMap>("", "ConfigMap");
const namespaces = clusterResource("", "Namespace");

const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { namespace, name, labels: { made: "here" } },
  data,
});

describe.skipIf(!kubeconfig)("the client on a real cluster", () => {
  let connection: Connection;
  let client: HttpKubeClient;

  beforeAll(async () => {
    connection = await loadConnection({ kubeconfig, namespace });
    client = new HttpKubeClient(connection);
    await removeNamespace(client);
    await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  }, 60_000);

  afterAll(() => removeNamespace(client), 60_000);

  test("an object is created, read, replaced, patched and deleted", async () => {
    const created = await client.create(configMaps, configMap("life", { a: "1" }));
    expect(created.metadata.uid).not.toBe("");
    const key = { namespace, name: "life" };
    expect(await client.get(configMaps, key)).toEqual(created);
    const replaced = await client.replace(configMaps, { ...created, data: { a: "2" } });
    expect(replaced.data).toEqual({ a: "2" });
    const merged = await client.patch(configMaps, key, { type: "merge", body: { data: { b: "3" } } });
    expect(merged.data).toEqual({ a: "2", b: "3" });
    const body = [
      { op: "test", path: "/data/a", value: "2" },
      { op: "remove", path: "/data/a" },
    ] as const;
    expect((await client.patch(configMaps, key, { type: "json", body })).data).toEqual({ b: "3" });
    await client.delete(configMaps, key);
    expect(isNotFound(await rejection(client.get(configMaps, key)))).toBe(true);
  });

  test("an object applied twice is the same, and force takes a field from another manager", async () => {
    const apply = (value: string, fieldManager: string, force: boolean) =>
      client.patch(
        configMaps,
        { namespace, name: "applied" },
        { type: "apply", body: configMap("applied", { a: value }), fieldManager, force },
      );
    const first = await apply("1", "one", false);
    expect((await apply("1", "one", false)).metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    expect(isConflict(await rejection(apply("2", "two", false)))).toBe(true);
    expect((await apply("2", "two", true)).data).toEqual({ a: "2" });
  });

  test("a second create of a name is AlreadyExists", async () => {
    await client.create(configMaps, configMap("twice"));
    const error = await rejection(client.create(configMaps, configMap("twice")));
    expect([isAlreadyExists(error), isConflict(error)]).toEqual([true, false]);
  });

  test("a replace of a version that is gone is a Conflict", async () => {
    const created = await client.create(configMaps, configMap("stale"));
    await client.replace(configMaps, { ...created, data: { a: "1" } });
    expect(isConflict(await rejection(client.replace(configMaps, { ...created, data: { a: "2" } })))).toBe(true);
  });

  test("a delete with another uid is a Conflict and deletes nothing", async () => {
    const { metadata } = await client.create(configMaps, configMap("kept"));
    const key = { namespace, name: "kept" };
    const error = await rejection(client.delete(configMaps, key, { uid: "00000000-0000-0000-0000-000000000000" }));
    expect(isConflict(error)).toBe(true);
    await client.get(configMaps, key);
    await client.delete(configMaps, key, { uid: metadata.uid });
    expect(isNotFound(await rejection(client.get(configMaps, key)))).toBe(true);
  });

  test("a list in pages of one is the list in one page", async () => {
    for (const name of ["page-a", "page-b", "page-c"]) await client.create(configMaps, configMap(name));
    const whole = await client.list(configMaps, { namespace, labelSelector: "made=here" });
    const lists = () => client.traffic.calls.get("list configmaps") ?? 0;
    const before = lists();
    const paged = await client.list(configMaps, { namespace, labelSelector: "made=here", limit: 1 });
    expect(paged.items).toEqual(whole.items);
    expect(lists() - before).toBe(whole.items.length);
    expect(paged.items.length).toBeGreaterThanOrEqual(3);
    expect(paged.items.every(({ apiVersion, kind }) => apiVersion === "v1" && kind === "ConfigMap")).toBe(true);
    const one = await client.list(configMaps, { namespace, fieldSelector: "metadata.name=page-b" });
    expect(one.items.map(({ metadata }) => metadata.name)).toEqual(["page-b"]);
  });

  test("an object that breaks the schema is Invalid, with the field at fault", async () => {
    const error = await rejection(client.create(configMaps, configMap("Not_A_Name")));
    expect(error instanceof ApiError && error.causes.map(({ field }) => field)).toEqual(["metadata.name"]);
  });

  test("a service account without rights is Forbidden, and a wrong token Unauthorized", async () => {
    await kubectl(["create", "serviceaccount", "powerless", "-n", namespace]);
    const token = (await kubectl(["create", "token", "powerless", "-n", namespace])).trim();
    const error = await rejection((await clientWithToken(connection, token)).list(pods, { namespace }));
    expect(isForbidden(error)).toBe(true);
    expect(String(error)).toContain("powerless");
    expect(String(error)).not.toContain(token);
    const wrong = await rejection((await clientWithToken(connection, "wrong")).list(pods, { namespace }));
    expect(wrong instanceof ApiError && wrong.reason).toBe("Unauthorized");
  });

  test("raw() gives /version and /readyz", async () => {
    expect(JSON.parse(await client.raw("/version"))).toHaveProperty("gitVersion");
    expect(await client.raw("/readyz")).toBe("ok");
  });
});

async function clientWithToken(connection: Connection, token: string): Promise<HttpKubeClient> {
  const { ca } = (await connection.credentials.current()).tls;
  const credentials = new CredentialSource(async () => ({
    credentials: { tls: ca === undefined ? {} : { ca }, headers: { Authorization: `Bearer ${token}` } },
    renewAtMs: Number.POSITIVE_INFINITY,
  }));
  return new HttpKubeClient({ ...connection, credentials });
}

async function removeNamespace(client: HttpKubeClient): Promise<void> {
  const error = await rejectionIfAny(client.delete(namespaces, { name: namespace }));
  if (error !== undefined && !isNotFound(error)) throw error;
  await eventually(() => rejectionIfAny(client.get(namespaces, { name: namespace })), isNotFound);
}

async function rejection(call: Promise<unknown>): Promise<unknown> {
  const error = await rejectionIfAny(call);
  if (error === undefined) throw new Error("the call must be rejected, but was not");
  return error;
}

function rejectionIfAny(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => error,
  );
}
