// What an apply leaves as it is: fields that others have added to our objects. An object that is not as this version
// would have it is replaced by what the API server made of it in the dry run, and keeps what is none of ours to decide.
import type { WebhookConfiguration } from "../cert/resources.ts";
import type { KubeClient } from "../kube/client.ts";
import { type UnsafeChange, unsafeChanges } from "../manifest/crd-upgrade.ts";
import type { KubeObject, ObjectMeta, Observed } from "../plan/objects.ts";
import { contentOf } from "./content.ts";
import type { Examined } from "./dry-run.ts";
import { resourceOf } from "./resources.ts";

/** Replaces the object as long as nobody has written to it since; false: there is nothing to be done. */
export async function repair(
  client: KubeClient,
  { wanted, live, replacement, differences }: Examined,
): Promise<boolean> {
  if (live === undefined || replacement === undefined || differences.length === 0) return false;
  await client.replace(resourceOf(wanted), repaired(live, replacement, wanted));
  return true;
}

/** What is unsafe in replacing a kind. */
export function unsafeRepairs({ live, replacement, wanted }: Examined): UnsafeChange[] {
  if (live === undefined || replacement === undefined || wanted.kind !== "CustomResourceDefinition") return [];
  return unsafeChanges(live, replacement);
}

/** The live object with the content of its replacement: others' labels, annotations and owners stay, and so does trust. */
export function repaired(live: Observed<KubeObject>, replacement: KubeObject, wanted: KubeObject): KubeObject {
  const { metadata: compared, ...content } = contentOf(live, wanted) as { metadata?: Partial<ObjectMeta> };
  const { metadata: desired, ...wantedContent } = contentOf(replacement, wanted) as { metadata?: Partial<ObjectMeta> };
  const { managedFields: _, ...metadata } = live.metadata as Observed<KubeObject>["metadata"] & {
    managedFields?: object;
  };
  const kept = Object.fromEntries(Object.entries(live).filter(([key]) => !(key in content)));
  return withBundles(
    {
      ...(kept as unknown as KubeObject),
      ...wantedContent,
      metadata: {
        ...metadata,
        ...replacedEntries("labels", metadata, compared, desired),
        ...replacedEntries("annotations", metadata, compared, desired),
      },
    },
    live,
  );
}

function replacedEntries(
  field: "labels" | "annotations",
  all: ObjectMeta,
  compared: Partial<ObjectMeta> | undefined,
  desired: Partial<ObjectMeta> | undefined,
): Partial<ObjectMeta> {
  const foreign = Object.entries(all[field] ?? {}).filter(([key]) => compared?.[field]?.[key] === undefined);
  const entries = { ...Object.fromEntries(foreign), ...desired?.[field] };
  return Object.keys(entries).length === 0 && all[field] === undefined ? {} : { [field]: entries };
}

/** The caBundle is the controller's, and stays with the webhook of the same name. */
function withBundles(object: KubeObject, live: KubeObject): KubeObject {
  if (!object.kind.endsWith("WebhookConfiguration")) return object;
  const bundles = new Map(
    ((live as WebhookConfiguration).webhooks ?? []).map(({ name, clientConfig }) => [name, clientConfig.caBundle]),
  );
  const webhooks = ((object as WebhookConfiguration).webhooks ?? []).map((webhook) => {
    const caBundle = bundles.get(webhook.name);
    return caBundle === undefined ? webhook : { ...webhook, clientConfig: { ...webhook.clientConfig, caBundle } };
  });
  return { ...object, webhooks } as KubeObject;
}
