// Which controller acts, by the Lease that it holds, and whether it still does.
import { type Finding, failure, ok, warning } from "../../cert/finding.ts";
import type { KubeClient } from "../../kube/client.ts";
import { find } from "../../kube/find.ts";
import { pods } from "../../kube/resource.ts";
import type { Placement } from "../../manifest/extension.ts";
import { leaderLease } from "../../manifest/names.ts";
import { homeOf } from "../installation.ts";
import { controllerSelector, type Lease, leases } from "../resources.ts";
import { installAgain, span } from "./words.ts";

export interface Leadership {
  placement: Placement;
  lease: Lease | undefined;
  /** Of the Deployment. */
  pods: readonly string[];
  /** By the API server's clock. */
  nowMs: number;
}

/** @param nowMs By the API server's clock. */
export async function examineLeader(client: KubeClient, placement: Placement, nowMs: () => number) {
  const namespace = homeOf(placement);
  const [lease, { items }] = await Promise.all([
    find(client, leases, { namespace, name: leaderLease }),
    client.list(pods, { namespace, labelSelector: controllerSelector }),
  ]);
  const names = items.map(({ metadata }) => metadata.name);
  return [judgeLeader({ placement, lease, pods: names, nowMs: nowMs() })];
}

export function judgeLeader({ placement, lease, pods, nowMs }: Leadership): Finding {
  const namespace = homeOf(placement);
  const subject = `Lease ${namespace}/${leaderLease}`;
  if (lease === undefined)
    return failure(subject, "there is none, so that no controller acts", installAgain(placement));
  const { holderIdentity: holder, leaseDurationSeconds = 15, renewTime = "" } = lease.spec ?? {};
  const remedy =
    placement.kind === "outOfCluster"
      ? "start loadtest controller --leader-elect where it is to run"
      : `kubectl -n ${namespace} logs -l ${controllerSelector} --prefix`;
  if (!holder && placement.kind === "outOfCluster") {
    return warning(subject, "nobody holds it: no controller acts, or one without --leader-elect", remedy);
  }
  if (!holder) return failure(subject, "nobody holds it, so that no controller acts", remedy);
  const ageMs = nowMs - Date.parse(renewTime);
  if (!(ageMs <= leaseDurationSeconds * 1000)) {
    return failure(subject, `"${holder}" has not renewed it for ${span(ageMs)}: no controller acts`, remedy);
  }
  const message = `held by "${holder}", renewed ${span(Math.max(0, ageMs))} ago`;
  const isPod = pods.some((pod) => holder === pod || holder.startsWith(`${pod}_`));
  if (placement.kind === "outOfCluster" || isPod) return ok(subject, message);
  return warning(
    subject,
    `${message}, which is no Pod here`,
    "end the controller that runs elsewhere, if it should not",
  );
}
