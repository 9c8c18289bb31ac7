// Which form of the extension is on a cluster, told by what is there of it.
import { type Finding, failure, ok } from "../../cert/finding.ts";
import { mutatingConfigurations, validatingConfigurations } from "../../cert/resources.ts";
import { isForbidden } from "../../kube/api-error.ts";
import type { KubeClient, ListOptions } from "../../kube/client.ts";
import { find } from "../../kube/find.ts";
import type { Placement } from "../../manifest/extension.ts";
import { defaulter, extensionName, extensionNamespace, validator } from "../../manifest/names.ts";
import { controllerSelector, deployments, serviceAccounts } from "../resources.ts";

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

/** What there is for this caller to see; who sees nothing of it is taken to mean the usual form. */
export async function findPlacements(client: KubeClient, namespace: string): Promise<Placement[]> {
  let isHidden = false;
  const visible = async <T>(look: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await look();
    } catch (error: unknown) {
      if (!isForbidden(error)) throw error;
      isHidden = true;
      return undefined;
    }
  };
  const deploymentsIn = (scope: ListOptions) =>
    visible(() => client.list(deployments, { ...scope, labelSelector: controllerSelector }));
  const [everywhere, account, ...registrations] = await Promise.all([
    deploymentsIn({}),
    visible(() => find(client, serviceAccounts, { namespace: extensionNamespace, name: extensionName })),
    visible(() => find(client, validatingConfigurations, { name: validator.configuration })),
    visible(() => find(client, mutatingConfigurations, { name: defaulter.configuration })),
  ]);
  const atHand = [...new Set([extensionNamespace, namespace])];
  const lists = everywhere ? [everywhere] : await Promise.all(atHand.map((each) => deploymentsIn({ namespace: each })));
  const webhooks = registrations.flatMap((registration) => registration?.webhooks ?? []);
  const url = webhooks.map(({ clientConfig }) => clientConfig.url).find((each) => each !== undefined);
  const placements = placementsOf({
    deployments: lists.flatMap((list) => list?.items ?? []).map(({ metadata }) => metadata.namespace ?? ""),
    url: url === undefined ? undefined : (URL.parse(url)?.origin ?? url),
    isRegistered: webhooks.length > 0,
    hasAccount: account !== undefined,
  });
  return placements.length === 0 && isHidden ? [{ kind: "cluster" }] : placements;
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
