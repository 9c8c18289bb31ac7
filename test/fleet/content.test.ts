import { describe, expect, test } from "bun:test";
import { contentOf } from "../../lib/fleet/content.ts";
import { objectsOf } from "../../lib/fleet/extras.ts";
import { repaired } from "../../lib/fleet/repair.ts";
import { formatObject } from "../../lib/fleet/resources.ts";
import type { KubeObject, Observed } from "../../lib/plan/objects.ts";

const installation = { image: "registry.example/loadtest:1", replicas: 2, placement: { kind: "cluster" } } as const;
const objects = objectsOf(installation).map((object) => [formatObject(object), object] as const);

/** As a server keeps it, and other people's tools. */
function stored(object: KubeObject): Observed<KubeObject> {
  const live = structuredClone(object) as Observed<KubeObject> & { [field: string]: unknown };
  Object.assign(live.metadata, {
    uid: "1",
    resourceVersion: "2",
    generation: 3,
    creationTimestamp: "2030-01-01T00:00:00Z",
    managedFields: [{ manager: "x" }],
    finalizers: ["example.com/x"],
    ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "x", uid: "3" }],
    labels: { ...live.metadata.labels, "argocd.argoproj.io/instance": "x", "kubernetes.io/metadata.name": "x" },
    annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}", "deployment.kubernetes.io/revision": "4" },
  });
  live["status"] = { conditions: [] };
  for (const webhook of (live["webhooks"] ?? []) as { clientConfig: object }[]) {
    Object.assign(webhook.clientConfig, { caBundle: "YQ==" });
  }
  const filled: Record<string, object> = {
    Secret: { data: { "tls.key": "YQ==" } },
    Lease: { spec: { holderIdentity: "x" } },
    Namespace: { spec: { finalizers: ["kubernetes"] } },
    ServiceAccount: { secrets: [{ name: "x" }] },
  };
  Object.assign(live, filled[object.kind] ?? {});
  const { template } = (live["spec"] ?? {}) as { template?: { metadata: { annotations?: object } } };
  if (template !== undefined) template.metadata.annotations = { "kubectl.kubernetes.io/restartedAt": "x" };
  return live;
}

describe("contentOf()", () => {
  test.each(objects)("of %s leaves out what server, controller and tools keep in it", (_, object) => {
    expect(contentOf(stored(object), object)).toEqual(contentOf(object, object));
  });

  test("keeps the Pod Security labels that nobody has asked for", () => {
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "x" } };
    const labels = { "pod-security.kubernetes.io/audit": "baseline", other: "x" };
    const live = { ...namespace, metadata: { ...namespace.metadata, labels } };
    expect(contentOf(live, namespace)).toEqual({
      metadata: { labels: { "pod-security.kubernetes.io/audit": "baseline" } },
    });
  });

  test("shows what is on its way out", () => {
    const object = { apiVersion: "v1", kind: "Service", metadata: { name: "x" } };
    const live = { ...object, metadata: { name: "x", deletionTimestamp: "2030-01-01T00:00:00Z" } };
    expect(contentOf(live, object)).toEqual({ metadata: { deletionTimestamp: "2030-01-01T00:00:00Z" } });
  });
});

describe("repaired()", () => {
  test.each(objects)("of %s changes nothing where nothing differs, and keeps what is none of ours", (_, object) => {
    const live = stored(object);
    const { managedFields: _managed, ...metadata } = live.metadata as typeof live.metadata & { managedFields: unknown };
    const unlabeled = { metadata: { ...metadata, labels: { ...metadata.labels } } };
    expect(contentOf(repaired(live, object, object), object)).toEqual(contentOf(live, object));
    expect(repaired(live, object, object)).toMatchObject(unlabeled);
  });

  test("of a webhook takes away what others have added, and keeps its trust and whether it fails closed", () => {
    const object = objects.map(([, each]) => each).find(({ kind }) => kind === "ValidatingWebhookConfiguration");
    if (object === undefined) throw new Error("there is none");
    const live = stored(object) as Observed<KubeObject> & { webhooks: Record<string, unknown>[] };
    const [webhook = {}] = live.webhooks;
    live.webhooks = [
      { ...webhook, name: "extra.example.com" },
      { ...webhook, failurePolicy: "Ignore", timeoutSeconds: 30, objectSelector: { matchLabels: { a: "b" } } },
    ];
    const [wanted] = (object as typeof live).webhooks;
    expect((repaired(live, object, object) as typeof live).webhooks as unknown[]).toEqual([
      {
        ...wanted,
        failurePolicy: "Ignore",
        clientConfig: { ...(wanted?.["clientConfig"] as object), caBundle: "YQ==" },
      },
    ]);
  });

  test("takes away a Pod Security label, and no other", () => {
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "x", labels: { a: "b" } } };
    const labels = { a: "c", other: "x", "pod-security.kubernetes.io/warn": "baseline" };
    const live = stored({ ...namespace, metadata: { name: "x", labels } });
    const { labels: left } = repaired(live, namespace, namespace).metadata;
    expect(left).toMatchObject({ a: "b", other: "x" });
    expect(Object.keys(left ?? {})).not.toContain("pod-security.kubernetes.io/warn");
  });
});
