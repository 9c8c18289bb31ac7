// What an apply leaves as it is: fields that others have added to our objects. An object that is not as this version
// would have it is replaced by what the API server made of it in the dry run, and keeps what is none of ours to decide.
import { isConflict } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import { type UnsafeChange, unsafeChanges } from "../manifest/crd-upgrade.ts";
import type { KubeObject, ObjectMeta, Observed } from "../plan/objects.ts";
import { contentOf } from "./content.ts";
import { type Examined, examine } from "./dry-run.ts";
import { resourceOf } from "./resources.ts";

const attempts = 5;

/** Replaces the object if there is one and it differs; false: there is nothing to be done. */
export async function repair(client: KubeClient, wanted: KubeObject): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const { live, replacement, differences } = await examine(client, wanted);
    if (live === undefined || replacement === undefined || differences.length === 0) return false;
    try {
      await client.replace(resourceOf(wanted), repaired(live, replacement, wanted));
      return true;
    } catch (error: unknown) {
      if (!isConflict(error) || attempt === attempts) throw error; // somebody has written since it was read
    }
  }
}

/** What is unsafe in replacing a kind. */
export function unsafeRepairs({ live, replacement, wanted }: Examined): UnsafeChange[] {
  if (live === undefined || replacement === undefined || wanted.kind !== "CustomResourceDefinition") return [];
  return unsafeChanges(live, replacement);
}

/** The live object with the content of its replacement: others' labels, annotations and owners stay. */
export function repaired(live: Observed<KubeObject>, replacement: KubeObject, wanted: KubeObject): KubeObject {
  const { metadata: compared, ...content } = contentOf(live, wanted) as { metadata?: Partial<ObjectMeta> };
  const { metadata: desired, ...wantedContent } = contentOf(replacement, wanted) as { metadata?: Partial<ObjectMeta> };
  const { managedFields: _, ...metadata } = live.metadata as Observed<KubeObject>["metadata"] & {
    managedFields?: object;
  };
  const kept = Object.fromEntries(Object.entries(live).filter(([key]) => !(key in content)));
  return withLivingParts(
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

/**
 * Of a webhook, the caBundle is the controller's, and whether it fails closed is for the installation to decide, once a
 * probe has shown that it answers. Both stay with the webhook of the same name.
 */
function withLivingParts(object: KubeObject, live: KubeObject): KubeObject {
  if (!object.kind.endsWith("WebhookConfiguration")) return object;
  const living = new Map((live as Registration).webhooks.map((webhook) => [webhook.name, webhook]));
  const webhooks = (object as Registration).webhooks.map((webhook) => {
    const former = living.get(webhook.name);
    if (former === undefined) return { ...webhook, failurePolicy: "Ignore" };
    const { failurePolicy, clientConfig } = former;
    const trusted = clientConfig.caBundle === undefined ? {} : { caBundle: clientConfig.caBundle };
    return { ...webhook, failurePolicy, clientConfig: { ...webhook.clientConfig, ...trusted } };
  });
  return { ...object, webhooks } as KubeObject;
}

type Registration = KubeObject & {
  webhooks: { name: string; failurePolicy: string; clientConfig: { caBundle?: string } }[];
};
