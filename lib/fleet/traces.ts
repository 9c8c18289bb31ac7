// What tells how the extension was installed on a cluster, read from it.
import { mutatingConfigurations, validatingConfigurations, type WebhookConfiguration } from "../cert/resources.ts";
import type { KubeClient } from "../kube/client.ts";
import { find } from "../kube/find.ts";
import { pods } from "../kube/resource.ts";
import { defaulter, extensionNamespace, validator } from "../manifest/names.ts";
import { podPolicyName } from "../manifest/pod-policy.ts";
import type { Observed } from "../plan/objects.ts";
import type { Traces } from "./installation.ts";
import { admissionPolicies, controllerSelector, deployments, namespaces } from "./resources.ts";

/** Rejects when the cluster will not say: what is to be there would then be a guess. */
export async function readTraces(client: KubeClient): Promise<Traces> {
  const [controllers, validating, mutating, namespace, policy] = await Promise.all([
    client.list(deployments, { labelSelector: controllerSelector }),
    find(client, validatingConfigurations, { name: validator.configuration }),
    find(client, mutatingConfigurations, { name: defaulter.configuration }),
    find(client, namespaces, { name: extensionNamespace }),
    find(client, admissionPolicies, { name: podPolicyName }),
  ]);
  const webhooks = [validating, mutating].filter((each): each is Observed<WebhookConfiguration> => each !== undefined);
  return { deployments: controllers.items, webhooks, namespace, policy };
}

/**
 * Of the images that the controllers of a namespace run: a tag may mean another one on each node. Sorted; empty where no
 * Pod has been started.
 */
export async function readImageDigests(client: KubeClient, namespace: string): Promise<string[]> {
  const { items } = await client.list(pods, { namespace, labelSelector: controllerSelector });
  const images = items.flatMap(({ status }) => (status?.containerStatuses ?? []).map(({ imageID = "" }) => imageID));
  return [...new Set(images.map((image) => /sha256:[0-9a-f]+/.exec(image)?.[0] ?? image))].filter(Boolean).toSorted();
}
