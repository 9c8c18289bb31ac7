// What of an object is compared: all that somebody has decided, and nothing that the server, the controller or a tool
// keeps in it for itself.
import type { KubeObject } from "../plan/objects.ts";

type JsonObject = Record<string, unknown>;

/** What becomes of a kind beside its metadata and its status, which is never compared. */
const kindRules: Readonly<Record<string, (content: JsonObject) => JsonObject>> = {
  // The controller fills it: what is in there is none of ours to show, and differs from cluster to cluster.
  Secret: ({ data: _, stringData: __, ...rest }) => rest,
  Lease: ({ spec: _, ...rest }) => rest,
  Namespace: ({ spec: _, ...rest }) => rest,
  ServiceAccount: ({ secrets: _, ...rest }) => rest,
  ValidatingWebhookConfiguration: withoutBundles,
  MutatingWebhookConfiguration: withoutBundles,
  Deployment: withoutRestarts,
};

/** @param wanted Whose labels and annotations count, beside the Pod Security level of a namespace. */
export function contentOf(object: KubeObject, wanted: KubeObject): JsonObject {
  const { apiVersion: _, kind, metadata, status: __, ...content } = object as KubeObject & JsonObject;
  const labels = pick(metadata.labels, (key) => key in (wanted.metadata.labels ?? {}) || isPodSecurity(key));
  const annotations = pick(metadata.annotations, (key) => key in (wanted.metadata.annotations ?? {}));
  const compared = {
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(metadata.deletionTimestamp === undefined ? {} : { deletionTimestamp: metadata.deletionTimestamp }),
  };
  const rest = kindRules[kind]?.(content) ?? content;
  return { ...(Object.keys(compared).length === 0 ? {} : { metadata: compared }), ...rest };
}

function isPodSecurity(key: string): boolean {
  return key.startsWith("pod-security.kubernetes.io/");
}

/** Authorities differ from cluster to cluster; certificates.ts judges them. */
function withoutBundles(content: JsonObject): JsonObject {
  const webhooks = (content["webhooks"] ?? []) as { clientConfig?: JsonObject }[];
  return {
    ...content,
    webhooks: webhooks.map(({ clientConfig: { caBundle: _, ...place } = {}, ...webhook }) => ({
      ...webhook,
      clientConfig: place,
    })),
  };
}

/** `kubectl rollout restart` leaves an annotation. */
function withoutRestarts(content: JsonObject): JsonObject {
  const { template, ...spec } = content["spec"] as {
    template: { metadata?: { annotations?: Record<string, string> } };
  };
  const { annotations, ...metadata } = template.metadata ?? {};
  const kept = pick(annotations, (key) => !key.startsWith("kubectl.kubernetes.io/"));
  const compared = { ...metadata, ...(kept === undefined ? {} : { annotations: kept }) };
  return { ...content, spec: { ...spec, template: { ...template, metadata: compared } } };
}

/** Those entries; undefined when there are none. */
function pick(
  entries: Readonly<Record<string, string>> = {},
  isKept: (key: string) => boolean,
): Record<string, string> | undefined {
  const kept = Object.entries(entries).filter(([key]) => isKept(key));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
