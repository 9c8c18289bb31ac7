// Which form of the extension is on a cluster, told by what is there of it.
import { type Finding, failure, ok } from "../../cert/finding.ts";
import { mutatingConfigurations, validatingConfigurations } from "../../cert/resources.ts";
import { isForbidden } from "../../kube/api-error.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Placement } from "../../manifest/extension.ts";
import { defaulter, extensionName, extensionNamespace, validator } from "../../manifest/names.ts";
import { serviceAccounts } from "../resources.ts";
import { controllerSelector, find } from "./installation.ts";
import { deployments } from "./resources.ts";

/** What there is of it. */
export interface Traces {
  /** Namespaces with a Deployment of the controller. */
  deployments: readonly string[];
  /** Where a registration calls, if not a Service. */
  url: string | undefined;
  /** Whether there are registrations at all. */
  isRegistered: boolean;
  /** Whether there is the account in the extension's own namespace. */
  hasAccount: boolean;
}

export function placementsOf({ deployments, url, isRegistered, hasAccount }: Traces): Placement[] {
  const others = deployments.filter((namespace) => namespace !== extensionNamespace);
  const placements: Placement[] = others.map((namespace) => ({ kind: "namespaced", namespace }));
  if (url !== undefined) return [{ kind: "outOfCluster", url }, ...placements];
  const isWhole = deployments.includes(extensionNamespace) || isRegistered || hasAccount;
  return isWhole ? [{ kind: "cluster" }, ...placements] : placements;
}

export async function findPlacements(client: KubeClient, namespace: string): Promise<Placement[]> {
  const [found, account, ...registrations] = await Promise.all([
    deploymentNamespaces(client, [extensionNamespace, namespace]),
    find(client, serviceAccounts, { namespace: extensionNamespace, name: extensionName }),
    find(client, validatingConfigurations, { name: validator.configuration }),
    find(client, mutatingConfigurations, { name: defaulter.configuration }),
  ]);
  const webhooks = registrations.flatMap((registration) => registration?.webhooks ?? []);
  const url = webhooks.map(({ clientConfig }) => clientConfig.url).find((each) => each !== undefined);
  return placementsOf({
    deployments: found,
    url: url === undefined ? undefined : (URL.parse(url)?.origin ?? url),
    isRegistered: webhooks.length > 0,
    hasAccount: account !== undefined,
  });
}

/** Of the whole cluster, or of the namespaces at hand for who may see no more. */
async function deploymentNamespaces(client: KubeClient, atHand: readonly string[]): Promise<string[]> {
  const options = { labelSelector: controllerSelector };
  try {
    const { items } = await client.list(deployments, options);
    return items.map(({ metadata }) => metadata.namespace ?? "");
  } catch (error: unknown) {
    if (!isForbidden(error)) throw error;
    const lists = await Promise.all(
      [...new Set(atHand)].map((namespace) => client.list(deployments, { ...options, namespace })),
    );
    return lists.flatMap(({ items }) => items.map(({ metadata }) => metadata.namespace ?? ""));
  }
}

export function judgePlacements(placements: readonly Placement[]): Finding {
  const subject = "installation";
  if (placements.length === 0) return failure(subject, "there is none", "loadtest install");
  return ok(subject, placements.map(describe).join("; "));
}

function describe(placement: Placement): string {
  switch (placement.kind) {
    case "cluster":
      return `in ${extensionNamespace}, for all namespaces`;
    case "namespaced":
      return `in namespace ${placement.namespace}, for it alone`;
    case "outOfCluster":
      return `for all namespaces, by a controller outside of the cluster at ${placement.url}`;
  }
}
